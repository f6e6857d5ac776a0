// What each client sends: people who say what they are, begin a checkout and perhaps order.

const PEOPLE = 10;

export async function send(messages, prefix, { identify, track }) {
  for (let n = 0; n < messages; n++) {
    const userId = `${prefix}-${n % PEOPLE}`;
    if (n < PEOPLE) {
      identify({ userId, traits: { plan: n % 2 === 0 ? "pro" : "free" } });
    }
    const event = n % 3 === 2 ? "Order Completed" : "Checkout Started";
    track({ userId, event, properties: { n, client: prefix } });
    await new Promise((done) => setTimeout(done, 5));
  }
}
