// Runs before the page is drawn, so that a chosen theme does not flash. Without it the system's choice holds.
(() => {
  const root = document.documentElement;
  const stored = () => {
    try { return localStorage.getItem("audit-theme"); } catch { return null; }
  };
  const system = () => (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  const chosen = stored();
  root.setAttribute("data-bs-theme", chosen === "dark" || chosen === "light" ? chosen : system());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    if (!stored()) root.setAttribute("data-bs-theme", system());
  });
  document.addEventListener("DOMContentLoaded", () => {
    const button = document.querySelector("[data-theme-toggle]");
    if (!button) return;
    const label = () => {
      const next = root.getAttribute("data-bs-theme") === "dark" ? "Light" : "Dark";
      button.textContent = next;
      button.setAttribute("aria-label", `${next} theme`);
    };
    label();
    button.hidden = false;
    button.addEventListener("click", () => {
      const next = root.getAttribute("data-bs-theme") === "dark" ? "light" : "dark";
      root.setAttribute("data-bs-theme", next);
      try { localStorage.setItem("audit-theme", next); } catch { /* private window: for this page only */ }
      label();
    });
  });
})();
