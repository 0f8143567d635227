import { expose } from './api'
import { mount } from './host'
import type { Counter } from './talk/counter'

const script = document.currentScript as HTMLScriptElement | null
const ready = new Promise<void>((resolve) => {
  if (document.readyState !== 'loading') resolve()
  else document.addEventListener('DOMContentLoaded', () => resolve(), { once: true })
})

function start(account: string, tag: HTMLScriptElement): Promise<Counter> {
  return ready.then(() => mount(document, new URL(tag.src).origin, account, tag.dataset['lang']))
}

if (!script?.dataset['account']) {
  console.warn('Madoguchi: the script tag needs data-account')
} else if (!('Madoguchi' in window) || Array.isArray(window.Madoguchi)) {
  expose(window, start(script.dataset['account'], script))
}
