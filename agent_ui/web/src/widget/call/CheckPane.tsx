import type { DeviceKind } from '@shared/call/devices'
import type { Checked } from './check'
import { Icon, Level, Picture } from './parts'
import { faultText, fill, useHere } from './words'

/** Before a call: what the visitor is heard and seen by, and a way on where that does not work. */
export function CheckPane({ check }: { check: Checked }) {
  const { calling, words } = useHere()
  const { sound, picture, microphone, camera, channel } = check
  const chat = (): void => {
    calling.check.close()
    calling.counter.begin(null)
  }
  return (
    <div class="call-pane full">
      <h2>{channel === 'video' ? words.checkVideo : words.check}</h2>
      {channel === 'video' && picture && <div class="frame"><Picture track={picture} name={words.you} mine /></div>}
      {sound && (
        <>
          <p>{words.speak}</p>
          <Level read={() => calling.check.level()} />
        </>
      )}
      {check.asking && !sound && <p role="status">{words.asking}</p>}
      {microphone && <Fault text={faultText(words, 'microphone', microphone)} />}
      {camera && <Fault text={faultText(words, 'camera', camera)} />}
      <Pickers check={check} />
      <div class="acts">
        {(microphone || camera) && (
          <button class="wide" type="button" onClick={() => void calling.check.open(channel)}>
            <Icon name="refresh-cw" />
            {words.again}
          </button>
        )}
        {sound && (
          <button class="wide primary" type="button" disabled={check.asking} onClick={() => void calling.start()}>
            <Icon name={picture ? 'video' : 'phone'} />
            {channel === 'video' && !picture && !check.asking ? words.voiceInstead : words.begin}
          </button>
        )}
        {microphone && (
          <button class="wide primary" type="button" onClick={chat}>
            <Icon name="message-square" />
            {words.chatInstead}
          </button>
        )}
        <button class="wide plain" type="button" onClick={() => calling.check.close()}>
          {words.cancel}
        </button>
      </div>
    </div>
  )
}

const Fault = ({ text }: { text: string }) => (
  <p class="call-fault" role="alert">
    <Icon name="circle-alert" />
    {text}
  </p>
)

function Pickers({ check }: { check: Checked }) {
  const { calling, words } = useHere()
  const kinds: DeviceKind[] = ['microphone', ...(check.channel === 'video' ? (['camera'] as const) : [])]
  const used = (kind: DeviceKind): string =>
    (kind === 'camera' ? check.picture : check.sound)?.getSettings().deviceId ?? calling.devices.chosen(kind)
  const several = kinds.filter((kind) => check.devices.filter((one) => one.kind === kind && one.id).length > 1)
  return (
    <>
      {several.map((kind) => (
        <label key={kind} class="picker">
          <span class="small">{words[kind]}</span>
          <select value={used(kind)} onChange={(event) => void calling.check.choose(kind, event.currentTarget.value)}>
            {check.devices
              .filter((one) => one.kind === kind)
              .map((one, at) => (
                <option key={one.id} value={one.id}>
                  {one.name || fill(words.device, { kind: words[kind], n: at + 1 })}
                </option>
              ))}
          </select>
        </label>
      ))}
    </>
  )
}
