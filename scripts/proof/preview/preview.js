// `scripts/serve` adds this to each page that it sends. It is not in any file of the site.
// Styles are set through the DOM: the Content-Security-Policy forbids style attributes, but not this.
const shown = document.currentScript.dataset.version;
const bar = document.createElement("pre");
bar.setAttribute("role", "status");
Object.assign(bar.style, {
  position: "sticky", top: 0, zIndex: 1000, margin: 0, padding: ".6rem 1rem", maxHeight: "50vh", overflow: "auto",
  font: "14px/1.4 ui-monospace, monospace", whiteSpace: "pre-wrap", color: "#fff",
});

let news;
const listen = () => {
  news?.close();
  if (document.hidden) return; // browsers limit the connections to one host, and there may be many tabs
  news = new EventSource(`/-preview/news?${encodeURIComponent(location.pathname)}`);
  news.onmessage = ({ data }) => {
    const { version, running, problems } = JSON.parse(data);
    if (version !== shown) location.reload();
    bar.textContent = [problems, running && `… ${running}`].filter(Boolean).join("\n\n");
    bar.style.background = problems ? "#a3122a" : "#37474f";
    if (bar.textContent) document.body.prepend(bar);
    else bar.remove();
  };
};
document.addEventListener("visibilitychange", listen);
window.addEventListener("pagehide", () => news?.close());
listen();
