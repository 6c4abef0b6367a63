// What makes the activity pages better than they are without script: counts after the rows, copying of links.
(() => {
  const counts = document.querySelector("[data-counts]");
  if (counts && counts.dataset.counts && !counts.querySelector(".histogram")) {
    counts.setAttribute("aria-busy", "true");
    counts.classList.add("loading");
    fetch(counts.dataset.counts, { credentials: "same-origin", redirect: "error" })
      .then((answer) => {
        if (!answer.ok) throw new Error(`counts: ${answer.status}`);
        return answer.text();
      })
      .then((html) => { counts.innerHTML = html; })
      // The link that asks for them is still there.
      .catch(() => {})
      .finally(() => {
        counts.classList.remove("loading");
        counts.removeAttribute("aria-busy");
      });
  }

  for (const link of document.querySelectorAll("[data-copy]")) {
    link.addEventListener("click", (event) => {
      if (!navigator.clipboard || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      const words = link.textContent;
      navigator.clipboard.writeText(link.href).then(
        () => {
          link.textContent = "Copied";
          setTimeout(() => { link.textContent = words; }, 1500);
        },
        () => { location.href = link.href; },
      );
    });
  }

  // A sheet closes when something else is clicked, or with Escape; only one is open at a time.
  const sheets = "details.row-menu[open], details.views[open]";
  document.addEventListener("click", (event) => {
    for (const sheet of document.querySelectorAll(sheets)) if (!sheet.contains(event.target)) sheet.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const sheet of document.querySelectorAll(sheets)) {
      sheet.open = false;
      sheet.querySelector("summary").focus();
    }
  });

  // Typing a date is choosing the range "From … to …"; choosing another range lets go of the dates.
  const range = document.getElementById("f-range");
  const dates = [document.getElementById("f-from"), document.getElementById("f-to")];
  if (range && dates[0]) {
    for (const date of dates) date.addEventListener("input", () => { if (date.value) range.value = "custom"; });
    range.addEventListener("change", () => {
      if (range.value === "custom") dates[0].focus();
      else for (const date of dates) date.value = "";
    });
  }

  // On a narrow screen the rows come first; the conditions in force are said above them.
  const more = document.querySelector("details.filters-more");
  if (more && matchMedia("(max-width: 56rem)").matches && !document.querySelector(".problems")) more.open = false;

  // Empty fields would only lengthen the address.
  const form = document.querySelector("form.filters");
  if (form) {
    form.addEventListener("submit", () => {
      for (const field of form.elements) if (field.name && !field.value) field.disabled = true;
    });
  }
})();
