// Arrow keys in an explorer, as in a tree of files. Without this script, Tab and Enter do the same.
const shown = explorer => [...explorer.querySelectorAll("summary")].filter(each => each.checkVisibility())

const moves = {
  ArrowDown: (at, all) => all[all.indexOf(at) + 1],
  ArrowUp: (at, all) => all[all.indexOf(at) - 1],
  Home: (_, all) => all[0],
  End: (_, all) => all.at(-1),
  ArrowRight: (at, all) => {
    if (at.parentElement.open) return at.parentElement.querySelector(":scope > ul summary")
    at.parentElement.open = true
  },
  ArrowLeft: at => {
    if (!at.parentElement.open) return at.parentElement.parentElement.closest("details")?.querySelector("summary")
    at.parentElement.open = false
  },
}

document.addEventListener("keydown", event => {
  const at = event.target
  const tree = at.closest(".explorer__image")
  const { altKey, ctrlKey, metaKey, shiftKey, key } = event
  if (!tree || !at.matches("summary") || !Object.hasOwn(moves, key) || altKey || ctrlKey || metaKey || shiftKey) return
  event.preventDefault()
  moves[key](at, shown(tree))?.focus()
})
