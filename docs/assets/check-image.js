// Opens an image that the reader chose, as an explorer, and says what in it is worth a look. Nothing leaves the browser.
{
  const place = document.getElementById("check-image")
  const make = (name, has = {}, ...children) => {
    const element = Object.assign(document.createElement(name), has)
    element.append(...children.filter(each => each !== ""))
    return element
  }
  const digits = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 })
  const written = count => {
    const power = Math.max(0, Math.min(4, Math.floor((Math.log10(count || 1) + 0.0002) / 3)))
    return digits.format(count / 1000 ** power) + ["B", "kB", "MB", "GB", "TB"][power]
  }
  const counted = count => `${count.toLocaleString("en")} file${count === 1 ? "" : "s"}`
  const size = ({ size, files }) =>
    Object.assign(make("data", { title: `${size.toLocaleString("en")} B in ${counted(files)}` }, written(size)), { value: size })

  const bar = (has, whole, css) => {
    const SVG = "http://www.w3.org/2000/svg"
    const svg = document.createElementNS(SVG, "svg")
    svg.setAttribute("aria-hidden", "true")
    let at = 0
    for (const [part, kind] of [[has.size - has.hidden, css], [has.hidden, "chart__c3"]]) {
      if (!part) continue
      const rect = document.createElementNS(SVG, "rect")
      const is = { class: kind, x: `${(100 * at) / whole}%`, width: `${(100 * part) / whole}%`, height: "100%" }
      for (const name in is) rect.setAttribute(name, is[name])
      svg.append(rect)
      at += part
    }
    return svg
  }

  const names = {
    others: ({ files }) => make("i", {}, files ? `${files.toLocaleString("en")} other file${files === 1 ? "" : "s"}` : "other links"),
    removed: ({ name }) => make("span", {}, make("del", {}, name), make("small", {}, " removed")),
    directory: ({ name }) => `${name}/`,
    link: ({ name }) => make("span", {}, name, make("small", {}, " link")),
    file: ({ name }) => name,
  }
  const lost = ({ size, hidden }) =>
    hidden ? make("small", { className: "explorer__note" }, hidden === size ? "hidden by a later layer" : `${written(hidden)} hidden`) : ""

  // A line of the explorer, with what is in it.
  function item(row, name, whole, inside, css) {
    const line = [make("span", {}, name, " ", lost(row)), bar(row, whole, "chart__c2"), size(row)]
    const entry = make("li", { className: css })
    if (!row.below.length) {
      entry.append(make("div", {}, ...line))
      return entry
    }
    const details = make("details", {}, make("summary", {}, ...line), make("ul", {}, ...row.below.map(each => node(each, inside))))
    entry.append(details)
    return entry
  }
  const node = (row, whole) =>
    item(row, names[row.kind](row), whole, whole, row.size && row.size === row.hidden ? "explorer__gone" : "")

  function explorer(image, total) {
    const layers = image.layers.map(({ instruction, top }, at) => {
      const name = make("span", {}, make("b", {}, String(at + 1)), " ", make("code", {}, instruction.slice(0, 160)))
      return item(top, name, total.size || 1, top.size || 1, "explorer__layer")
    })
    const title = make("p", { className: "explorer__title" }, make("b", {}, image.name), size(total))
    const tree = make("div", { className: "explorer__image" }, title, bar(total, total.size || 1, "chart__c2"), make("ul", {}, ...layers))
    tree.setAttribute("role", "group")
    tree.setAttribute("aria-label", image.name)
    return make("figure", { className: "explorer" }, make("div", { className: "explorer__images" }, tree))
  }

  // What is looked for among the paths, with the guide that explains it. The first that matches counts a file.
  const SOUGHT = [
    ["Go’s build cache", /(^|\/)\.cache\/go-build\//, "why-so-big/#what-emptying-the-cache-saves"],
    ["Go’s module cache", /(^|\/)pkg\/mod\//, "rebuilds/"],
    ["the Go distribution", /^usr\/(local|lib)\/go\//, "second-stage/"],
    ["package managers’ caches", /^(var\/cache\/(apk|apt|dnf|yum)|var\/lib\/apt\/lists|etc\/apk\/cache|root\/\.(npm|cache\/pip))\//, "layers/"],
    ["a git repository", /(^|\/)\.git\//, "context/"],
    ["keys and settings, by their names", /(^|\/)(\.env(\.[^/]*)?|id_(rsa|ed25519|ecdsa)|\.netrc|\.npmrc|\.git-credentials|[^/]*\.key)$/, "layers/#the-secret-that-was-removed-too-late"],
    ["Go source files", /\.go$/, "second-stage/"],
  ]

  function findings(image) {
    const found = new Map()
    const add = (what, to, bytes) => {
      const sum = found.get(what) ?? { to, bytes: 0, files: 0 }
      found.set(what, { to, bytes: sum.bytes + bytes, files: sum.files + 1 })
    }
    const before = new Map()
    const stays = image.members.filter(({ gone }) => !gone)
    for (const { path, kind, size, gone, owner, time, elf } of image.members) {
      if (kind !== "file") continue
      // A stripped program still has some bytes in sections of this kind, such as the name of its debug file.
      if (elf?.symbols > 1000) add("symbols and debug data in programs, which -ldflags=-s leaves out", "flags/#-s-and-w-remove-what-debuggers-read", elf.symbols)
      const [what, , to] = SOUGHT.find(([, pattern]) => pattern.test(path)) ?? []
      if (what) add(what, to, size)
      if (gone) add("files that a later layer replaces or removes, and that are still stored", "layers/", size)
      const old = before.get(path)
      if (old && old.size === size && old.time === time && old.owner !== owner)
        add("files stored again with another owner or mode, but the same size and time", "layers/#changing-a-file-stores-it-again", size)
      before.set(path, { size, time, owner })
    }
    const lines = [...found].map(([what, { to, bytes, files }]) => [`${written(bytes)} in ${counted(files)}: ${what}`, to])
    if (["", "0", "root"].includes(String(image.config.User ?? "").split(":")[0]))
      lines.push(["The image’s user is root, because it names no other", "user/"])
    const has = pattern => stays.some(({ path, kind }) => kind !== "directory" && pattern.test(path))
    const programs = stays.filter(({ elf }) => elf)
    const last = path => path.slice(path.lastIndexOf("/") + 1)
    const files = new Set(stays.map(({ path }) => last(path)))
    const missing = programs.find(({ elf }) => elf.interpreter && !files.has(last(elf.interpreter)))
    if (missing)
      lines.push([`${imageTar.quoted(missing.path)} asks for the interpreter ${imageTar.quoted(missing.elf.interpreter)}, and no file has this name`, "static/#when-the-interpreter-is-missing"])
    if (programs.length && !has(/(^|\/)(ca-certificates\.crt|ca-bundle\.crt|tls-ca-bundle\.pem)$|^etc\/ssl\/cert\.pem$/))
      lines.push(["If a program connects with TLS, it needs certificates of authorities, and the usual files are missing", "certificates/"])
    if (programs.length && !has(/^usr\/(share|lib)\/zoneinfo\/|(^|\/)zoneinfo\.zip$/))
      lines.push(["If a program names time zones, it needs their data, unless it is compiled in", "time-zones/"])
    if (has(/^(usr\/)?bin\/(sh|bash|ash)$/))
      lines.push(["A shell is in the image", "scratch-or-alpine/#without-a-shell"])
    if (image.others.length) lines.push(["The file holds more than one image, and this is the first", "platforms/#several-platforms-under-one-name"])
    return lines
  }

  function show(image) {
    const total = { size: 0, files: 0, hidden: 0 }
    for (const { top } of image.layers) for (const key in total) total[key] += top[key]
    const lines = findings(image).map(([what, to]) => make("li", {}, `${what} (`, make("a", { href: `../${to}` }, "explained"), ")"))
    opened.replaceChildren(explorer(image, total), make("ul", {}, ...lines))
    say(`${image.name}: ${written(total.size)} in ${counted(total.files)}.`)
  }

  const input = make("input", { type: "file", accept: ".tar" })
  const status = make("output")
  const cancel = make("button", { type: "button", hidden: true }, "Cancel")
  const progress = make("progress", { max: 1, value: 0, hidden: true, ariaLabel: "Read so far" })
  const form = make("form", { className: "calculator" }, make("label", {}, "A saved image, chosen or dropped here ", input), cancel, progress, status)
  const opened = make("div")
  const say = text => (status.value = text)
  place.replaceWith(form, opened)

  let current = 0
  async function check(file) {
    const mine = ++current
    const watch = bytes => {
      if (mine !== current) throw new imageTar.ImageError("cancelled")
      progress.value = Math.min(1, bytes / (file.size || 1))
    }
    opened.replaceChildren()
    cancel.hidden = progress.hidden = false
    say(`Reading ${imageTar.quoted(file.name)} …`)
    try {
      const image = await imageContents.open(file, watch)
      if (mine === current) show(image)
    } catch (error) {
      if (mine !== current) return
      const what = error instanceof imageTar.ImageError ? error.message : "it is not in the form of a saved image"
      say(`${imageTar.quoted(file.name)} can’t be opened: ${what}.`)
    }
    if (mine === current) cancel.hidden = progress.hidden = true
  }
  input.addEventListener("change", () => input.files[0] && check(input.files[0]))
  cancel.addEventListener("click", () => {
    current++
    cancel.hidden = progress.hidden = true
    say("Cancelled.")
  })
  form.addEventListener("submit", event => event.preventDefault())
  form.addEventListener("dragover", event => event.preventDefault())
  form.addEventListener("drop", event => {
    event.preventDefault()
    if (event.dataTransfer.files[0]) check(event.dataTransfer.files[0])
  })
}
