'use strict'
// The customer's telephone. Texts are shown by textContent only.

const EVERY_MS = 700
const words = JSON.parse(document.getElementById('words').textContent)
const locale = document.documentElement.lang === 'en' ? 'en-GB' : 'ja-JP'
const clock = new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit' })
const clockSeconds = new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit', second: '2-digit' })
const day = new Intl.DateTimeFormat(locale, { month: 'long', day: 'numeric', weekday: 'short' })
const $ = (id) => document.getElementById(id)
const NUMBER = 'minato-phone'

const state = { number: localStorage.getItem(NUMBER) || '+819055500187', revision: null, shown: '', busy: false }

function make(tag, name, text) {
  const one = document.createElement(tag)
  if (name) one.className = name
  if (text !== undefined) one.textContent = text
  return one
}

// ---- whose telephone it is
function showNumber() {
  const preset = [...$('who').options].some((o) => o.value === state.number)
  $('who').value = preset ? state.number : ''
  $('other').hidden = preset
  if (!preset) $('number').value = state.number
}

async function take(number) {
  const answer = await fetch(`/demo/phone/messages?number=${encodeURIComponent(number)}`).catch(() => null)
  $('bad-number').hidden = !answer || answer.ok
  if (!answer || !answer.ok) return
  state.number = number
  state.shown = ''
  localStorage.setItem(NUMBER, number)
  showNumber()
  draw(await answer.json())
}

$('who').addEventListener('change', () => {
  const number = $('who').value
  $('other').hidden = number !== ''
  if (number) take(number)
  else $('number').focus()
})
$('own').addEventListener('submit', (event) => {
  event.preventDefault()
  take($('number').value.trim())
})

// ---- the thread
function told(message) {
  if (!message.mine) {
    const code = message.error ? ` · ${message.error}` : ''
    return words[`state.${message.status}`] + code
  }
  if (message.hook === null) return words.hookPending
  if (message.hook >= 200 && message.hook < 300) return words.hookDone
  return `${words.hookFailed} · ${message.hook || words.noAnswer}`
}

function bubble(message) {
  const item = make('div', 'bubble')
  const lost = ['failed', 'undelivered'].includes(message.status)
  const refused = message.mine && message.hook !== null && !(message.hook >= 200 && message.hook < 300)
  item.classList.toggle('mine', message.mine)
  item.classList.toggle('absent', !message.mine && message.status !== 'delivered')
  item.classList.toggle('bad', lost || refused)
  item.append(make('p', '', message.text || words.media))
  const parts = [clock.format(new Date(message.at)), told(message)]
  if (lost) parts.push(words.notHere)
  item.append(make('small', '', parts.join(' · ')))
  return item
}

// What has not changed keeps its element, so that a screen reader hears only what is new.
const elements = new Map()

function kept(print, build) {
  if (!elements.has(print)) elements.set(print, build())
  return elements.get(print)
}

function drawThread(messages) {
  const print = JSON.stringify(messages)
  if (print === state.shown) return
  state.shown = print
  const thread = $('thread')
  const atEnd = thread.scrollHeight - thread.scrollTop - thread.clientHeight < 60
  const items = []
  let last = ''
  for (const message of messages) {
    const today = day.format(new Date(message.at)).replace('(', '（').replace(')', '）')
    if (today !== last) items.push(kept(`day ${today}`, () => make('div', 'day', today)))
    last = today
    items.push(kept(JSON.stringify(message), () => bubble(message)))
  }
  for (const child of [...thread.children]) if (!items.includes(child)) child.remove()
  items.forEach((item, at) => {
    if (thread.children[at] !== item) thread.insertBefore(item, thread.children[at] ?? null)
  })
  $('empty').hidden = messages.length > 0
  if (atEnd) thread.scrollTop = thread.scrollHeight
}

// ---- the provider's log
function line(entry) {
  const row = make('tr')
  const time = make('td', '', clockSeconds.format(new Date(entry.at)))
  const what = make('td', '', words[`what.${entry.what}`])
  const detail = words[`state.${entry.detail}`] || words[`answers.${entry.detail}`] || entry.detail
  if (entry.detail && entry.detail !== 'ok') what.append(` – ${detail}`)
  if (entry.sid) what.append(' ', make('span', 'sid', `${entry.sid.slice(0, 10)}…`))
  const fine = entry.status !== null && entry.status < 400
  const result = make('td', fine ? 'good' : 'wrong', entry.status === null ? words.noAnswer : `HTTP ${entry.status}`)
  row.append(time, make('td', '', words[`way.${entry.way}`]), what, result)
  return row
}

function drawLog(entries) {
  $('log').replaceChildren(...entries.map(line))
  $('log-empty').hidden = entries.length > 0
}

// ---- how the provider behaves
const modes = $('modes')

function drawModes(values) {
  for (const field of modes.elements) {
    if (!(field.name in values) || field === document.activeElement) continue
    if (field.type === 'checkbox') field.checked = values[field.name]
    else field.value = values[field.name] ?? ''
  }
  fitModes()
}

function fitModes() {
  for (const part of modes.querySelectorAll('[data-for]')) {
    part.hidden = !part.dataset.for.split(' ').includes(modes.elements.answer.value)
  }
}

function readModes() {
  const values = {}
  for (const field of modes.elements) {
    if (!field.name) continue
    if (field.type === 'checkbox') values[field.name] = field.checked
    else if (field.type === 'number') values[field.name] = field.value === '' ? null : Number(field.value)
    else values[field.name] = field.value
  }
  if (values.late_s === null) values.late_s = 0
  return values
}

async function putModes(values) {
  const answer = await fetch('/demo/phone/modes', {
    method: 'PUT', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(values),
  }).catch(() => null)
  $('bad-mode').hidden = Boolean(answer && answer.ok)
}

modes.addEventListener('change', () => {
  fitModes()
  putModes(readModes())
})
modes.addEventListener('submit', (event) => event.preventDefault())
$('reset').addEventListener('click', () => putModes({}))

// ---- writing
const text = $('text')

function fit() {
  $('send').setAttribute('aria-disabled', String(text.value.trim() === '' || state.busy))
}

async function send() {
  if (state.busy || text.value.trim() === '') return
  const written = text.value
  state.busy = true
  fit()
  const answer = await fetch('/demo/phone/send', {
    method: 'POST', headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ number: state.number, text: written }),
  }).catch(() => null)
  state.busy = false
  $('not-sent').hidden = Boolean(answer && answer.ok)
  if (answer && answer.ok && text.value === written) text.value = ''
  fit()
  text.focus()
}

text.addEventListener('input', fit)
text.addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing || event.keyCode === 229) return
  event.preventDefault()
  send()
})
$('compose').addEventListener('submit', (event) => {
  event.preventDefault()
  send()
})
for (const button of document.querySelectorAll('.quick button')) {
  button.addEventListener('click', () => {
    text.value = button.textContent
    fit()
    text.focus()
  })
}

// ---- live
function draw(found) {
  state.revision = found.revision
  drawThread(found.messages)
  drawLog(found.log)
  drawModes(found.modes)
  $('stopped').hidden = !found.stopped
}

async function look() {
  const asked = state.number
  const since = state.revision === null ? '' : `&since=${state.revision}`
  try {
    const answer = await fetch(`/demo/phone/messages?number=${encodeURIComponent(asked)}${since}`)
    if (answer.status === 422) take('+819055500187')
    else if (!answer.ok) throw new Error(`messages: ${answer.status}`)
    if (answer.status === 200 && asked === state.number) draw(await answer.json())
    $('lost').hidden = true
  } catch {
    $('lost').hidden = false
    state.revision = null
  }
  setTimeout(look, EVERY_MS)
}

showNumber()
fit()
fitModes()
look()
