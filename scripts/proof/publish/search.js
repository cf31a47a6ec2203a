// Runs in front of the theme's search worker. It is ready at once, and loads nothing until something is searched for.
// The message types are the theme's.
const [SETUP, READY, QUERY, RESULT] = [0, 1, 2, 3]
const post = self.postMessage.bind(self)
let setup, loaded

self.addEventListener("message", event => {
  if (!event.isTrusted) return // passed on from here to the theme's worker
  event.stopImmediatePropagation()
  const { type, data } = event.data
  if (type === SETUP) {
    setup = data
    post({ type: READY })
  } else if (type === QUERY && !data.trim()) {
    post({ type: RESULT, data: { items: [] } })
  } else {
    loaded ??= load()
    // People paste error messages: characters that are operators to the search are left out.
    const words = data.replace(/[^\p{L}\p{N}.\s]+/gu, " ")
    loaded.then(() => hand({ type, data: words }))
  }
})

function hand(data) {
  self.dispatchEvent(new MessageEvent("message", { data }))
}

async function load() {
  const { docs } = await (await fetch("documents.json")).json()
  const ready = new Promise(resolve => {
    self.postMessage = message => (message.type === READY ? resolve() : post(message))
  })
  importScripts("WORKER")
  // lunr merges the nodes of its tree of words that have the same text. It writes no separator, so an edge "1" to node
  // 234 reads like the edges "1" to node 2 and "3" to node 4. With many numbers, a search then finds words that are in
  // no document, and fails.
  lunr.TokenSet.prototype.toString = function () {
    const edges = Object.keys(this.edges).sort().map(label => `${label}${this.edges[label].id};`)
    return this._str ?? [this.final ? 1 : 0, ...edges].join("")
  }
  hand({ type: SETUP, data: { ...setup, docs } })
  await ready
}
