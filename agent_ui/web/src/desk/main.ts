import ui from '@nuxt/ui/vue-plugin'
import { createPinia } from 'pinia'
import { createApp } from 'vue'
import App from './App.vue'
import { createTranslations } from './i18n'
import './main.css'
import { followAppearance } from './session/appearance'
import { firstLanguage } from './session/settings'
import { createDeskRouter } from './router'

async function start(): Promise<void> {
  const pinia = createPinia()
  const translations = await createTranslations(firstLanguage())
  const app = createApp(App).use(pinia).use(translations)
  followAppearance(translations)
  const router = createDeskRouter()
  app.use(router).use(ui)
  await router.isReady()
  app.mount('#app')
}

void start()
