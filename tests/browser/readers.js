// Loads pages in frames, and writes their trees as Lexbor does: selectolax's html_pretty(tag_with_ns=True,
// full_doctype=True, without_text_indent=True). The getters are those of the prototypes, because an element's name or
// ID can hide a property of its form or document.
const getter = (type, name) => {
  const { get } = Object.getOwnPropertyDescriptor(type.prototype, name)
  return node => get.call(node)
}
const nodeType = getter(Node, "nodeType")
const firstChild = getter(Node, "firstChild")
const nextSibling = getter(Node, "nextSibling")
const localName = getter(Element, "localName")
const namespace = getter(Element, "namespaceURI")
const attributes = getter(Element, "attributes")
const data = getter(CharacterData, "data")
const content = getter(HTMLTemplateElement, "content")
const address = { a: getter(HTMLAnchorElement, "href"), img: getter(HTMLImageElement, "src") }

const HTML = "http://www.w3.org/1999/xhtml"
const PREFIXES = { [HTML]: "", "http://www.w3.org/2000/svg": "svg:", "http://www.w3.org/1998/Math/MathML": "math:" }
const VOID = new Set("area base br col embed hr img input link meta param source track wbr".split(" "))
const RAW = new Set("style script xmp iframe noembed noframes noscript plaintext".split(" "))
const ESCAPES = { "&": "&amp;", "\u00a0": "&nbsp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" }
const escapeText = text => text.replace(/[&\u00a0<>]/g, each => ESCAPES[each])
const escapeValue = text => text.replace(/[&\u00a0<>"]/g, each => ESCAPES[each])

// The lines of a tree, and where its links lead and its images are. Without recursion, since trees can be deep.
function written(document) {
  const lines = []
  const addresses = []
  const open = [{ node: firstChild(document), pad: "", end: null }] // the next node, and the line after the last one
  while (open.length) {
    const level = open.at(-1)
    const { node, pad, raw } = level
    if (!node) {
      open.pop()
      if (level.end !== null) lines.push(level.end)
      continue
    }
    level.node = nextSibling(node)
    const inner = `${pad}  `
    switch (nodeType(node)) {
      case Node.ELEMENT_NODE: {
        const tag = localName(node)
        const own = namespace(node) === HTML ? tag : ""
        const has = [...attributes(node)].map(({ name, value }) => ` ${name}="${escapeValue(value)}"`)
        lines.push(`${pad}<${PREFIXES[namespace(node)]}${tag}${has.join("")}>`)
        if (Object.hasOwn(address, own)) addresses.push(`${own} ${address[own](node)}`)
        open.push({ node: firstChild(node), pad: inner, end: VOID.has(own) ? null : `${pad}</${tag}>`, raw: RAW.has(own) })
        if (own === "template") {
          lines.push(`${inner}#document-fragment`)
          open.push({ node: firstChild(content(node)), pad: `${inner}  `, end: null })
        }
        break
      }
      case Node.TEXT_NODE: {
        let text = data(node)
        // A browser divides long texts.
        for (; level.node && nodeType(level.node) === Node.TEXT_NODE; level.node = nextSibling(level.node))
          text += data(level.node)
        lines.push(`${pad}"${raw ? text : escapeText(text)}"`)
        break
      }
      case Node.COMMENT_NODE:
        lines.push(`${pad}<!-- ${data(node)} -->`)
        break
      case Node.PROCESSING_INSTRUCTION_NODE:
        lines.push(`${pad}<?${node.target} ${data(node)}?>`)
        break
      case Node.DOCUMENT_TYPE_NODE:
        lines.push(`${pad}<!DOCTYPE ${node.name}>`)
        break
      default:
        lines.push(`${pad}node of type ${nodeType(node)}`)
    }
  }
  return [`${lines.join("\n")}\n`, addresses]
}

// Show pages at the same time, each in a frame that has its number as its name.
async function show(count) {
  globalThis.ran = []
  globalThis.blocked = []
  const frames = [...Array(count).keys()].map(number =>
    Object.assign(document.createElement("iframe"), { name: number, src: `/${number}.html` }),
  )
  const loaded = frames.map(frame => Promise.race([new Promise(done => (frame.onload = done)), pause(10_000)]))
  document.body.replaceChildren(...frames)
  await Promise.all(loaded)
  // Focus, animations and such begin with the next frames that are painted.
  for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame)
  await pause(10)
  const trees = frames.map(({ contentWindow }, number) => {
    try {
      const left = contentWindow.location.pathname !== `/${number}.html`
      return left ? [`the page has gone to ${contentWindow.location}`, []] : written(contentWindow.document)
    } catch (error) {
      return [`the page has gone: ${error}`, []]
    }
  })
  document.body.replaceChildren()
  return { trees, ran, blocked }
}

const pause = time => new Promise(done => setTimeout(done, time))
