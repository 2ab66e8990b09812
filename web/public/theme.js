// Sets the theme before the first paint. A file of its own, because the page's policy allows no inline script.
(function () {
  var choice = null;
  try {
    choice = localStorage.getItem("easel.theme");
  } catch {
    // Storage may be switched off; the system's theme it is then.
  }
  var dark = choice === "dark" || (choice !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
})();
