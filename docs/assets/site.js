// What the theme's own script leaves to do for those who read with a keyboard or a screen reader.
const mend = root => {
  // One landmark for each copy button would bury the page's real ones.
  for (const nav of root.querySelectorAll("nav.md-code__nav:not([role])")) nav.setAttribute("role", "presentation")
  for (const wide of root.querySelectorAll(".md-typeset__scrollwrap, pre > code")) watch.observe(wide)
}

// What is wider than the page is scrolled with the arrow keys, so it has to be reached by Tab; what fits, not.
const watch = new ResizeObserver(entries => {
  for (const { target } of entries)
    if (target.scrollWidth > target.clientWidth) target.tabIndex = 0
    else target.removeAttribute("tabindex")
})

new MutationObserver(changes => {
  for (const { target, addedNodes } of changes) if (addedNodes.length) mend(target)
}).observe(document.body, { childList: true, subtree: true })
mend(document)
