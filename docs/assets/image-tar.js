// Reads tar archives piece by piece: an image that a reader chose, and the layers in it. Their content is not trusted, so
// every size is checked against what is there, and there are limits to what an entry may take.
globalThis.imageTar = (() => {
  const BLOCK = 512
  const START = "the first byte"
  const WINDOW = 1 << 18 // bytes read at a time
  const PIECE = 1 << 14 // bytes unpacked at a time: a browser unpacks a piece in one go, to at most 16 MB
  const PAUSE = 50 // milliseconds of work after which the page gets its turn, to draw and to cancel
  const HEADERS = 1 << 20 // bytes of extended headers of one entry: paths and attributes take far less
  const PATH = 4096 // bytes of a name, as in Linux
  const HUGE = 1e9 // bytes of a layer from which its ratio is checked
  const RATIO = 200 // of a layer that was made to fill memory or disks; text and programs are compressed to a quarter or so

  // What is wrong with the archive, in words for the reader. Anything else that is thrown is a fault of this script.
  class ImageError extends Error {}

  // Names as a reader sees them: no control characters, and none that change the direction of text.
  const visible = text =>
    text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, each => {
      const code = each.codePointAt(0)
      return code < 0x20 ? String.fromCharCode(0x2400 + code) : `⟨U+${code.toString(16).toUpperCase().padStart(4, "0")}⟩`
    })
  const quoted = name => `“${visible(name.length > 100 ? `${name.slice(0, 79)}…${name.slice(-20)}` : name)}”`

  const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
  function text(bytes) {
    const end = bytes.indexOf(0)
    const used = end < 0 ? bytes : bytes.subarray(0, end)
    try {
      return utf8.decode(used)
    } catch {
      return [...used].map(each => (each < 0x80 ? String.fromCharCode(each) : `\\x${each.toString(16)}`)).join("")
    }
  }

  // Gives the page its turn whenever it has waited for long enough, and then calls `check`, which may throw.
  function turns(check = () => {}) {
    let paused = performance.now()
    return async () => {
      if (performance.now() - paused <= PAUSE) return
      await new Promise(done => setTimeout(done))
      paused = performance.now()
      check()
    }
  }

  // A part of a file, which is read in windows. What is skipped is never read.
  class FileSource {
    constructor(blob, watch) {
      Object.assign(this, { blob, watch, position: 0, from: 0, window: new Uint8Array() })
    }
    async read(count) {
      if (this.position < this.from || this.position + count > this.from + this.window.length) {
        this.watch(this.position)
        const part = this.blob.slice(this.position, this.position + Math.max(count, WINDOW))
        this.window = new Uint8Array(await part.arrayBuffer())
        this.from = this.position
      }
      const found = this.window.subarray(this.position - this.from, this.position - this.from + count)
      this.position += found.length
      return found
    }
    async skip(count) {
      const skipped = Math.min(count, this.blob.size - this.position)
      this.position += skipped
      return skipped
    }
    async close() {}
  }

  // A gzipped part of a file. The browser unpacks it, a piece at a time.
  class GzipSource {
    constructor(blob, watch) {
      const source = new FileSource(blob, watch)
      const packed = new ReadableStream({
        async pull(control) {
          const piece = (await source.read(PIECE)).slice()
          if (piece.length) control.enqueue(piece)
          else control.close()
        },
      })
      this.reader = packed.pipeThrough(new DecompressionStream("gzip")).getReader()
      this.turn = turns()
      this.piece = new Uint8Array()
      this.unpacked = 0
      this.size = blob.size
    }
    async next() {
      await this.turn()
      const { done, value } = await this.reader.read().catch(error => {
        if (error instanceof ImageError) throw error
        throw new ImageError("its gzip data is damaged, truncated, or in several parts")
      })
      if (done) return false
      this.piece = value
      this.unpacked += value.length
      if (this.unpacked > HUGE && this.unpacked > RATIO * this.size)
        throw new ImageError(`it unpacks to more than ${RATIO} times its size`)
      return true
    }
    async read(count) {
      let room = new Uint8Array(Math.min(count, WINDOW))
      let filled = 0
      while (filled < count && (this.piece.length || (await this.next()))) {
        const part = this.piece.subarray(0, count - filled)
        if (filled + part.length > room.length) {
          const larger = new Uint8Array(Math.min(count, Math.max(2 * room.length, filled + part.length)))
          larger.set(room)
          room = larger
        }
        room.set(part, filled)
        filled += part.length
        this.piece = this.piece.subarray(part.length)
      }
      return room.subarray(0, filled)
    }
    async skip(count) {
      let left = count
      while (left && (this.piece.length || (await this.next()))) {
        const part = Math.min(left, this.piece.length)
        this.piece = this.piece.subarray(part)
        left -= part
      }
      return count - left
    }
    async close() {
      await this.reader.cancel().catch(() => {})
    }
  }

  function number(field, what, name) {
    if (field[0] & 0x80) {
      // GNU's form for large numbers: the bits of the field itself
      let found = field[0] & 0x7f
      for (const each of field.subarray(1)) found = found * 256 + each
      if (Number.isSafeInteger(found)) return found
    } else {
      const digits = text(field).trim()
      if (/^[0-7]*$/.test(digits)) return parseInt(digits || "0", 8)
    }
    throw new ImageError(`the entry ${quoted(name)} has a ${what} that is no number`)
  }

  // The records of an extended header: their lengths, names and values.
  function records(bytes, name) {
    const found = {}
    let at = 0
    while (at < bytes.length && bytes[at]) {
      const space = bytes.indexOf(0x20, at)
      const length = space > at && space - at < 9 ? Number(text(bytes.subarray(at, space))) : NaN
      const record = bytes.subarray(space + 1, at + length - 1)
      const equals = record.indexOf(0x3d)
      if (!(length > space - at + 1) || at + length > bytes.length || equals < 0)
        throw new ImageError(`the extended header of the entry ${quoted(name)} is damaged`)
      found[`=${text(record.subarray(0, equals))}`] = record.subarray(equals + 1)
      at += length
    }
    return found
  }

  function checkSum(header, name) {
    const sum = header.reduce((total, each, at) => total + (at >= 148 && at < 156 ? 32 : each), 0)
    if (sum !== number(header.subarray(148, 156), "checksum", name))
      throw new ImageError(`the header of the entry ${quoted(name)} is damaged: its checksum is wrong`)
  }

  // The next header, or null at the end of the archive.
  async function header(source, before) {
    const bytes = await source.read(BLOCK)
    if (!bytes.length || bytes.every(each => each === 0)) return null
    const short = text(bytes.subarray(0, 100))
    if (bytes.length < BLOCK) throw new ImageError(`it is truncated in the header after ${before}`)
    const isUstar = text(bytes.subarray(257, 263)) === "ustar"
    if (before === START && !text(bytes.subarray(257, 263)).startsWith("ustar")) throw new ImageError("it is not a tar archive")
    checkSum(bytes, short)
    const prefix = isUstar ? text(bytes.subarray(345, 500)) : ""
    const name = prefix ? `${prefix}/${short}` : short
    const [mode, uid, gid] = [[100, 108], [108, 116], [116, 124]].map(([from, to]) => text(bytes.subarray(from, to)).trim())
    return {
      name,
      type: bytes[156] ? String.fromCharCode(bytes[156]) : "0",
      size: number(bytes.subarray(124, 136), "size", name),
      owner: `${uid}:${gid} ${mode}`,
      isExecutable: (parseInt(mode, 8) & 0o111) !== 0,
      time: text(bytes.subarray(136, 148)).trim(),
      link: bytes.slice(157, bytes.indexOf(0, 157) < 0 ? 257 : Math.min(257, bytes.indexOf(0, 157))),
    }
  }

  async function content(source, entry) {
    const bytes = (await source.read(entry.size)).slice()
    if (bytes.length < entry.size) throw new ImageError(`it is truncated in the entry ${quoted(entry.name)}`)
    await pad(source, entry)
    return bytes
  }
  const pad = (source, entry) => source.skip((BLOCK - (entry.size % BLOCK)) % BLOCK)

  function apply(entry, extended) {
    for (const key in extended) if (key.startsWith("=GNU.sparse.")) entry.type = "S"
    if (extended["=path"]) entry.name = text(extended["=path"])
    if (extended["=linkpath"]) entry.link = extended["=linkpath"]
    if (extended["=size"]) {
      const size = text(extended["=size"])
      if (!/^\d{1,15}$/.test(size)) throw new ImageError(`the entry ${quoted(entry.name)} has a size that is no number`)
      entry.size = Number(size)
    }
  }

  // Each entry of an archive with its headers. `visit` may read at most the content, and need not.
  async function read(source, visit) {
    let before = START
    let extended = {}
    let room = HEADERS
    for (let entry; (entry = await header(source, before)); ) {
      if ("xgLK".includes(entry.type)) {
        room -= entry.size
        if (room < 0) throw new ImageError(`the entry ${quoted(entry.name)} has more than ${HEADERS} bytes of headers`)
        const bytes = await content(source, entry)
        if (entry.type === "x") Object.assign(extended, records(bytes, entry.name))
        if (entry.type === "L") extended["=path"] = bytes
        if (entry.type === "K") extended["=linkpath"] = bytes.subarray(0, bytes.indexOf(0) < 0 ? bytes.length : bytes.indexOf(0))
        continue
      }
      for (const bytes of [extended["=path"], extended["=linkpath"]])
        if (bytes?.length > PATH + 1) throw new ImageError(`the entry ${quoted(entry.name)} has a name of more than ${PATH} bytes`)
      apply(entry, extended)
      if (entry.type === "S") throw new ImageError(`the entry ${quoted(entry.name)} is a sparse file of GNU tar`)
      if (!"07".includes(entry.type)) entry.size = 0 // links may state the size of what they name
      before = `the entry ${quoted(entry.name)}`
      const used = await visit(entry, count => source.read(count), count => source.skip(count))
      const left = entry.size - (used ?? 0)
      if ((await source.skip(left)) < left) throw new ImageError(`it is truncated in the entry ${quoted(entry.name)}`)
      await pad(source, entry)
      extended = {}
      room = HEADERS
    }
  }

  return { ImageError, FileSource, GzipSource, read, text, turns, visible, quoted }
})()
