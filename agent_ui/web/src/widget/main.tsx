import { mount } from './host'

const script = document.currentScript as HTMLScriptElement | null
const origin = new URL(script?.src ?? location.href).origin
const languages = [document.documentElement.lang, ...navigator.languages].filter(Boolean)

function start(): void {
  mount(document, origin, languages)
}

if (document.readyState === 'loading') {
  document.addEventListener('DOMContentLoaded', start, { once: true })
} else {
  start()
}
