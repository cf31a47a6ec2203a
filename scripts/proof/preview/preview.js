// Added by `scripts/serve` to each page that it sends, and in no file of the site.
// Styles are set one by one, which a Content-Security-Policy allows where it forbids style attributes.
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
  if (document.hidden) return; // a browser opens few connections to one host, and tabs are many
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
