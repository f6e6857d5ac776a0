// Posts through the SDK of Segment: ADDRESS KEY MESSAGES PREFIX.
import { Analytics } from "@segment/analytics-node";
import { send } from "./send.mjs";

const [address, key, messages, prefix] = process.argv.slice(2);
const client = new Analytics({
  writeKey: key,
  host: address,
  flushInterval: 50,
  maxEventsInBatch: 15,
  maxRetries: 200,
});
client.on("error", (error) => {
  console.error(error);
  process.exitCode = 1;
});
await send(Number(messages), prefix, {
  identify: (call) => client.identify(call),
  track: (call) => client.track(call),
});
await client.closeAndFlush({ timeout: 120_000 });
