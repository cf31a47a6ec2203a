// A published page loads this script after its first paint, so the page may have been loaded by then.
const whenLoaded = act => (document.readyState === "complete" ? act() : addEventListener("load", act))

const each = (root, selector, act) => {
  if (root.matches?.(selector)) act(root)
  root.querySelectorAll(selector).forEach(act)
}

// Buttons that copy, as the theme's script makes them, which also does the copying. But it measures the page after each,
// and makes each a landmark, under which a page's real ones would be buried.
document.querySelectorAll("pre > code").forEach((code, number) => {
  code.id = `__code_${number}` // no author's
  const bar = document.createElement("div")
  const button = document.createElement("button")
  bar.className = "md-code__nav"
  button.className = "md-code__button"
  button.title = "Copy to clipboard"
  button.dataset.clipboardTarget = `#${code.id}`
  button.dataset.mdType = "copy"
  bar.append(button)
  code.before(bar)
})

// A page is published with its Markdown beside it. Browsers without a clipboard, or with a page that anyone on the way
// could have changed, leave the link. The text is fetched within the promise: Safari forgets the click after a wait.
each(document, ".as-markdown > [type='text/markdown']", link => {
  if (!globalThis.ClipboardItem || !navigator.clipboard) return
  const button = document.createElement("button")
  const say = text => (button.textContent = text)
  const get = async () => {
    const answer = await fetch(link.href)
    if (!answer.ok) throw Error(answer.status)
    return new Blob([await answer.text()], { type: "text/plain" })
  }
  button.addEventListener("click", () =>
    navigator.clipboard.write([new ClipboardItem({ "text/plain": get() })]).then(
      () => say("Copied"),
      () => say("Not copied: use the link"),
    ),
  )
  button.setAttribute("aria-live", "polite")
  say("Copy as Markdown")
  link.before(button, " ")
})

// What the theme's own script leaves to do for those who read with a keyboard or a screen reader.
const mend = root => {
  each(root, ".md-typeset__scrollwrap, pre > code", wide => watch.observe(wide))
}

// What is wider than the page is scrolled with the arrow keys, so it has to be reached by Tab; what fits, not.
const watch = new ResizeObserver(entries => {
  const wide = new Set(entries.map(entry => entry.target).filter(box => box.scrollWidth > box.clientWidth))
  for (const { target } of entries)
    if (wide.has(target)) target.tabIndex = 0
    else target.removeAttribute("tabindex")
})

new MutationObserver(changes => {
  for (const { addedNodes } of changes)
    for (const node of addedNodes) if (node instanceof Element) mend(node)
}).observe(document.body, { childList: true, subtree: true })
mend(document)

// A version of Docker that a reader has chosen once is shown in every transcript, on every page.
const choose = version => each(document, `.engines > input[value="${version}"]`, tab => (tab.checked = true))
try {
  const chosen = localStorage.getItem("docker")
  if (/^docker-\d+$/.test(chosen)) choose(chosen)
} catch {
  // Without storage the choice lasts as long as the page.
}
document.addEventListener("change", ({ target }) => {
  if (!target.matches(".engines > input")) return
  const before = target.getBoundingClientRect().top
  choose(target.value)
  scrollBy(0, target.getBoundingClientRect().top - before) // transcripts above may now be longer or shorter
  try {
    localStorage.setItem("docker", target.value)
  } catch {}
})

// A link to an error message shows the version of Docker that prints it.
const reveal = () => {
  const tabs = document.querySelector(":target .engines")
  if (!tabs) return
  const radios = [...tabs.querySelectorAll("input")]
  const failed = [...tabs.querySelectorAll(".engines__panel")].map(panel => panel.querySelector(".transcript--failed"))
  const shown = radios.findIndex(radio => radio.checked)
  const wanted = failed[shown] ? shown : failed.findIndex(Boolean)
  if (wanted >= 0) radios[wanted].checked = true
}
addEventListener("hashchange", reveal)
whenLoaded(reveal) // only then does the browser know the target
