// Posts through the SDK of RudderStack: ADDRESS KEY MESSAGES PREFIX.
import Analytics from "@rudderstack/rudder-sdk-node";
import { send } from "./send.mjs";

const [address, key, messages, prefix] = process.argv.slice(2);
const client = new Analytics(key, {
  dataPlaneUrl: address,
  flushAt: 15,
  flushInterval: 50,
  maxQueueSize: 100_000,
  maxInternalQueueSize: 100_000,
  // As it is: three times within seconds. A process that is restarted takes longer at times.
  axiosRetryConfig: { retries: 200, retryDelay: () => 100, retryCondition: isWorthIt },
  errorHandler: (error) => {
    console.error(error);
    process.exitCode = 1;
  },
});

function isWorthIt(error) {
  const status = error.response?.status;
  return status === undefined || status === 429 || status >= 500;
}

await send(Number(messages), prefix, {
  identify: (call) => client.identify(call),
  track: (call) => client.track(call),
});
await client.flush();
