// Stands before the search worker of the theme: ready at once, and with nothing loaded until something is searched for.
// Message types are the theme's.
const [SETUP, READY, QUERY, RESULT] = [0, 1, 2, 3]
const post = self.postMessage.bind(self)
let setup, loaded

self.addEventListener("message", event => {
  if (!event.isTrusted) return // handed on by us, to the worker below
  event.stopImmediatePropagation()
  const { type, data } = event.data
  if (type === SETUP) {
    setup = data
    post({ type: READY })
  } else if (type === QUERY && !data.trim()) {
    post({ type: RESULT, data: { items: [] } })
  } else {
    loaded ??= load()
    // A pasted message is words: operators of the search's own language are left out.
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
  hand({ type: SETUP, data: { ...setup, docs } })
  await ready
}
