// What is in each layer of an image, as scripts/proof/engines/image_contents.py counts it for the explorers of the pages.
globalThis.imageContents = (() => {
  const { ImageError, FileSource, GzipSource, read, text, turns, visible, quoted } = imageTar
  const ENTRIES = 1e6 // of all layers together
  const DIRECTORIES = 3e5 // of a layer: one takes much more memory than a file, and an entry can bring sixteen
  const NAMES = 1e8 // characters of all paths together
  const DOCUMENT = 8e6 // bytes of a manifest or a configuration
  const LAYERS = 128 // Docker allows no more
  const ROWS = 40 // of a layer; in addition to the sums of what is left out
  const DEEPEST = 16
  const plain = name => name.split("/").filter(part => part && part !== ".").join("/")
  const parent = path => path.slice(0, Math.max(0, path.lastIndexOf("/")))
  const parse = (bytes, name) => {
    try {
      return JSON.parse(text(bytes))
    } catch {
      throw new ImageError(`${quoted(name)} is not JSON`)
    }
  }

  // The files in the chosen archive, by name, without their content.
  async function index(file, watch) {
    const files = new Map()
    const source = new FileSource(file, watch)
    await read(source, entry => {
      if (files.size > 1e5) throw new ImageError("it has too many files for a saved image")
      const name = plain(entry.name)
      if ("07".includes(entry.type)) files.set(name, file.slice(source.position, source.position + entry.size))
      if (entry.type === "2") files.set(name, plain(new URL(text(entry.link), `file:///${name}`).pathname))
    })
    return name => {
      let found = plain(name)
      for (let hops = 0; typeof found === "string" && hops < 9; hops++) found = files.get(found)
      return found instanceof Blob ? found : undefined
    }
  }

  async function document(find, name) {
    const blob = find(name)
    if (!blob) throw new ImageError(`it has no file ${quoted(name)}`)
    if (blob.size > DOCUMENT) throw new ImageError(`the file ${quoted(name)} is too large`)
    return parse(new Uint8Array(await blob.arrayBuffer()), name)
  }

  // The first images in the archive: the name of each, its layers, and the name of its configuration.
  async function images(find) {
    if (find("manifest.json"))
      return (await document(find, "manifest.json"))
        .slice(0, 2)
        .map(each => ({ name: String(each.RepoTags?.[0] ?? "image"), config: each.Config, layers: each.Layers }))
    if (!find("index.json")) throw new ImageError("it has neither a manifest.json nor an index.json: it is no saved image")
    const blob = ({ digest }) => `blobs/${String(digest).replace(":", "/")}`
    const found = []
    const open = (await document(find, "index.json")).manifests.slice(0, 100)
    for (let at = 0; at < open.length && at < 100 && found.length < 2; at++) {
      const about = open[at]
      if (about.annotations?.["vnd.docker.reference.type"] || !find(blob(about))) continue
      const manifest = await document(find, blob(about))
      if (manifest.manifests) open.push(...manifest.manifests.slice(0, 100))
      else
        found.push({
          name: String(about.annotations?.["io.containerd.image.name"] ?? "image"),
          config: blob(manifest.config),
          layers: manifest.layers.map(blob),
        })
    }
    return found
  }

  // What the headers of a 64-bit ELF file say: the interpreter that it asks for, and the bytes that no program loads, which
  // are symbols and debug data. `used` is how much of it was read. A file that says nonsense is taken for none.
  async function elf(size, read, skip) {
    let used = 0
    const take = async count => {
      const bytes = (await read(Math.min(count, size - used))).slice()
      used += bytes.length
      return new DataView(bytes.buffer)
    }
    const go = async to => (used += await skip(to - used))
    const head = await take(64)
    if (head.byteLength < 64 || head.getUint32(0) !== 0x7f454c46 || head.getUint16(4) !== 0x0201) return { used }
    const long = (view, at) => Number(view.getBigUint64(at, true))
    const short = at => head.getUint16(at, true)
    let interpreter = "", symbols = 0
    const programs = long(head, 32) === used && short(54) === 56 ? await take(56 * short(56)) : new DataView(new ArrayBuffer(0))
    for (let at = 0; at + 56 <= programs.byteLength; at += 56) {
      const from = long(programs, at + 8), length = long(programs, at + 32)
      if (programs.getUint32(at, true) !== 3 || from < used || length > 4096 || from + length > size) continue
      await go(from)
      interpreter = text(new Uint8Array((await take(length)).buffer))
    }
    const sections = long(head, 40), count = short(60)
    if (sections < used || short(58) !== 64 || sections + 64 * count > size) return { used, interpreter, symbols }
    await go(sections)
    const table = await take(64 * count)
    for (let at = 0; at + 64 <= table.byteLength; at += 64) {
      const kind = table.getUint32(at + 4, true)
      const isLoaded = long(table, at + 8) & 2
      if (kind && kind !== 8 && !isLoaded && at !== 64 * short(62)) symbols += long(table, at + 32)
    }
    return { used, interpreter, symbols: symbols < size ? symbols : 0 }
  }

  function memberOf({ name, type, size, link, owner, time }) {
    const path = plain(name)
    const last = path.slice(path.lastIndexOf("/") + 1)
    const of = { path, owner, time, size: 0, target: "" }
    if ("07".includes(type)) {
      if (last === ".wh..wh..opq") return { ...of, kind: "opaque", size, target: parent(path) }
      if (last.startsWith(".wh.")) return { ...of, kind: "removed", size, target: plain(`${parent(path)}/${last.slice(4)}`) }
      return { ...of, kind: "file", size }
    }
    if (type === "2") return { ...of, kind: "link", size: link.length }
    if (type === "1") return { ...of, kind: "hard", target: plain(text(link)) }
    return { ...of, kind: type === "5" ? "directory" : "other" }
  }

  async function layer(name, blob, room, watch) {
    if (!blob) throw new ImageError(`the layer ${quoted(name)} is not in the archive`)
    const head = new Uint8Array(await blob.slice(0, 4).arrayBuffer())
    if (head[0] === 0x28 && head[1] === 0xb5)
      throw new ImageError(`the layer ${quoted(name)} is compressed with zstd, which browsers do not unpack. Load the image, then save it with docker save`)
    const isPacked = head[0] === 0x1f && head[1] === 0x8b
    const source = new (isPacked ? GzipSource : FileSource)(blob, watch)
    const members = []
    try {
      await read(source, async (entry, take, skip) => {
        room.names -= entry.name.length + entry.link.length
        if (--room.entries < 0) throw new ImageError(`it has more than ${ENTRIES} files`)
        if (room.names < 0) throw new ImageError(`its files have more than ${NAMES} characters of names`)
        const member = memberOf(entry)
        members.push(member)
        if (member.kind !== "file" || !entry.isExecutable) return 0
        const { used, ...says } = await elf(entry.size, take, skip)
        if ("symbols" in says) member.elf = says
        return used
      })
    } catch (error) {
      if (!(error instanceof ImageError)) throw error
      const last = members.length ? `, after the entry ${quoted(members.at(-1).path)}` : ""
      throw new ImageError(`the layer ${quoted(name)} cannot be read${last}: ${error.message}`)
    } finally {
      await source.close()
    }
    return members
  }

  // Mark each member that a later layer hides, or a later member with its name.
  async function hide(layers, turn) {
    const replaced = new Set(), ended = new Set(), emptied = new Set()
    const isBelow = path => {
      if (ended.has(path)) return true
      while (path) {
        path = parent(path)
        if (ended.has(path) || emptied.has(path)) return true
      }
      return false
    }
    for (const members of layers.toReversed()) {
      const again = new Set()
      for (const each of members.toReversed()) {
        await turn()
        const isNamedLater = each.kind !== "directory" && (replaced.has(each.path) || again.has(each.path))
        each.gone = isNamedLater || isBelow(each.path)
        if (each.kind !== "directory") again.add(each.path)
      }
      const linked = new Set(members.filter(each => each.kind === "hard" && !each.gone).map(each => each.target))
      for (const each of members) {
        if (each.kind === "file" && linked.has(each.path)) each.gone = false
        if (each.kind === "removed") ended.add(each.target)
        else if (each.kind === "opaque") emptied.add(each.target)
        else {
          replaced.add(each.path)
          if (each.kind !== "directory") ended.add(each.path)
        }
      }
    }
  }

  const NONE = new Map()
  const node = (name, kind) => ({ name, kind, size: 0, files: 0, hidden: 0, below: NONE })
  const shownName = name => {
    const seen = visible(name)
    return seen.length <= 100 ? seen : `${seen.slice(0, 79)}…${seen.slice(-20)}`
  }

  async function tree(members, turn) {
    const top = node("", "directory")
    let directories = 0
    for (const { path, kind, size, target, gone } of members) {
      if (!["file", "link", "removed", "opaque"].includes(kind)) continue
      await turn()
      const shown = kind === "opaque" ? "removed" : kind
      const parts = (kind === "removed" ? target : path).split("/").filter(Boolean)
      let at = top
      for (let depth = 0; depth <= Math.min(parts.length, DEEPEST); depth++) {
        if (depth) {
          const name = shownName(parts[depth - 1])
          if (at.below === NONE) {
            if (++directories > DIRECTORIES) throw new ImageError(`a layer has more than ${DIRECTORIES} directories`)
            at.below = new Map()
          }
          if (!at.below.has(name)) at.below.set(name, node(name, depth === parts.length ? shown : "directory"))
          at = at.below.get(name)
        }
        at.size += size
        at.files += kind !== "link"
        at.hidden += gone ? size : 0
      }
    }
    return top
  }

  // The smallest power of two with few enough nodes of at least this size.
  function least(top) {
    const sizes = []
    const left = [top]
    while (left.length) {
      const each = left.pop()
      sizes.push(each.size)
      for (const child of each.below.values()) left.push(child)
    }
    let found = 0
    while (sizes.filter(size => size >= found).length > ROWS) found = found * 2 || 1
    return found
  }

  // A node with only what is large enough below it, the largest first, and the sum of the rest.
  function rows(at, from) {
    const { name, size, files, hidden } = at
    const all = [...at.below.values()]
    let own = all.filter(each => each.size >= from)
    if (own.length && all.length - own.length === 1) own = all
    own.sort((one, other) => other.size - one.size || (one.name < other.name ? -1 : 1))
    const rest = { name: "", kind: "others", size, files, hidden, below: [] }
    for (const each of own) for (const key of ["size", "files", "hidden"]) rest[key] -= each[key]
    const below = own.map(each => rows(each, from))
    if (own.length && (rest.size || rest.files || rest.hidden)) below.push(rest)
    return { name, kind: all.length ? "directory" : at.kind, size, files, hidden, below }
  }

  // The first image in a file, with its layers. `watch` is told the bytes read so far, and may throw.
  async function open(file, watch) {
    const head = new Uint8Array(await file.slice(0, 2).arrayBuffer())
    if (head[0] === 0x1f && head[1] === 0x8b) throw new ImageError("it is compressed as a whole. Unpack it first, with gunzip")
    const find = await index(file, watch)
    const [image, ...others] = await images(find)
    if (!image) throw new ImageError("it holds no image")
    if (image.layers.length > LAYERS) throw new ImageError(`it has more than ${LAYERS} layers`)
    const config = await document(find, image.config)
    const history = (config.history ?? []).filter(each => !each.empty_layer).map(each => String(each.created_by ?? ""))
    const layers = []
    const room = { entries: ENTRIES, names: NAMES }
    let done = 0
    for (const name of image.layers) {
      const blob = find(name)
      layers.push(await layer(name, blob, room, part => watch(done + part)))
      done += blob.size
    }
    const turn = turns(() => watch(done))
    await hide(layers, turn)
    const parts = []
    for (const [at, members] of layers.entries()) {
      const whole = await tree(members, turn)
      const instruction = history.length === layers.length ? visible(history[at]) : ""
      parts.push({ instruction, top: rows(whole, least(whole)) })
    }
    return { name: shownName(image.name), config: config.config ?? {}, others, layers: parts, members: layers.flat() }
  }

  return { open }
})()
