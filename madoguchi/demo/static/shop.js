'use strict'
// The shop's own script: its customer may be signed in, and tells the chat so.

const KEPT = 'minato-member'
const PATIENCE_MS = 10000
const words = JSON.parse(document.getElementById('words').textContent)
const member = document.getElementById('member')
const who = document.getElementById('who')
const notice = document.getElementById('notice')

function show(on) {
  member.setAttribute('aria-checked', String(on))
  who.textContent = on ? words.welcome : words.guest
  who.classList.toggle('member', on)
}

// The widget's script loads asynchronously: resolves with its API once it is there.
function widget() {
  const until = Date.now() + PATIENCE_MS
  return new Promise((resolve, reject) => {
    const look = () => {
      if (window.Madoguchi) resolve(window.Madoguchi)
      else if (Date.now() > until) reject(new Error('no widget'))
      else setTimeout(look, 100)
    }
    look()
  })
}

async function signIn() {
  const answer = await fetch('/demo/shop/identity', { cache: 'no-store' })
  if (!answer.ok) throw new Error(`identity: ${answer.status}`)
  const claim = await answer.json()
  await (await widget()).identify(claim)
}

async function change(on) {
  show(on)
  localStorage.setItem(KEPT, on ? '1' : '')
  notice.hidden = true
  try {
    if (on) await signIn()
    else await (await widget()).reset()
  } catch {
    notice.textContent = words.cannotSign
    notice.hidden = false
  }
}

member.addEventListener('click', () => change(member.getAttribute('aria-checked') !== 'true'))
document.getElementById('chat').addEventListener('click', async () => {
  try {
    (await widget()).open()
  } catch {
    notice.textContent = words.cannotSign
    notice.hidden = false
  }
})
if (localStorage.getItem(KEPT)) change(true)
