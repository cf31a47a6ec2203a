// How long a pull takes over the reader's own line. The bytes are those of the table above #calculator, which are facts.
const below = document.getElementById("calculator")
const table = [...document.querySelectorAll("table")]
  .filter(each => below.compareDocumentPosition(each) & Node.DOCUMENT_POSITION_PRECEDING)
  .pop()
// Only what is in bytes: a fact in another unit is written with that.
const sized = cell => [...cell.querySelectorAll("data.fact")].filter(fact => /\d[kMG]?B$/.test(fact.textContent))
const bytes = new Map(
  [...table.tBodies[0].rows].flatMap(({ cells: [name, size] }) =>
    sized(size).slice(0, 1).map(fact => [name.textContent.trim(), Number(fact.value)]),
  ),
)

const make = (name, has, ...children) => {
  const element = Object.assign(document.createElement(name), has)
  element.append(...children)
  return element
}
const number = has => make("input", { type: "number", required: true, ...has })
const image = make("select", {}, ...[...bytes.keys()].map(name => make("option", {}, name)))
const rate = number({ min: "0.001", max: "1000000", step: "any", value: "50", title: "a line speed" })
const pulls = number({ min: "1", max: "1000000", step: "1", value: "20", title: "a whole number of pulls" })
const answer = make("output")
const form = make(
  "form",
  { className: "calculator" },
  make("label", {}, "Image ", image),
  make("label", {}, "Your line, in Mbit/s ", rate),
  make("label", {}, "Pulls a day ", pulls),
  answer,
)
below.before(form)

const digits = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 })

// As the pages write sizes: decimal units, three digits.
function size(count) {
  const power = Math.min(5, Math.floor(Math.log10(count) / 3))
  return digits.format(count / 1000 ** power) + ["B", "kB", "MB", "GB", "TB", "PB"][power]
}

function duration(seconds) {
  if (seconds < 59.95) return `${digits.format(seconds)} s`
  let rest = Math.round(seconds)
  const parts = []
  for (const [unit, length] of [["d", 86_400], ["h", 3_600], ["min", 60], ["s", 1]]) {
    const count = Math.floor(rest / length)
    rest %= length
    if (count) parts.push(`${count.toLocaleString("en")} ${unit}`)
  }
  return parts.slice(0, 2).join(" ")
}

// What a field takes, with the limits that it has.
function wanted({ title, min, max }) {
  return `${title} from ${min} to ${Number(max).toLocaleString("en")}`
}

function calculate() {
  const wrong = [rate, pulls].filter(input => {
    input.setAttribute("aria-invalid", !input.validity.valid)
    return !input.validity.valid
  })
  if (wrong.length) {
    answer.value = `Please give ${wrong.map(wanted).join(", and ")}.`
    return
  }
  const total = bytes.get(image.value)
  const seconds = (total * 8) / (rate.valueAsNumber * 1e6)
  const often = pulls.valueAsNumber
  answer.value =
    `${size(total)} take ${duration(seconds)}. ` +
    (often > 1 ? `${often.toLocaleString("en")} pulls a day take ${duration(seconds * often)} and send ${size(total * often)}.` : "")
}

form.addEventListener("input", calculate)
form.addEventListener("submit", event => event.preventDefault())
calculate()
