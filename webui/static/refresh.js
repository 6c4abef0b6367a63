// While something in a list is under way, the list is fetched again; without script there is a link.
(() => {
  const PAUSE_MS = 1500;
  const look = async () => {
    const list = document.querySelector("[data-unfinished]");
    if (!list || list.dataset.unfinished === "0") return;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (answer.ok && !answer.redirected) {
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const fresh = page.getElementById(list.id);
        // Whoever is in the list with the keyboard stays there.
        if (fresh && !list.contains(document.activeElement)) list.replaceWith(fresh);
      }
    } catch (error) {
      // The next look will tell.
    }
    setTimeout(look, PAUSE_MS);
  };
  setTimeout(look, PAUSE_MS);
})();
