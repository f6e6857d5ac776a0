"""Posts through an SDK for Python: SDK ADDRESS KEY MESSAGES PREFIX."""

import sys
import time

PEOPLE = 10


def client_of(sdk, address, key, on_error):
    if sdk == "segment":
        from segment.analytics.client import Client

        return Client(key, host=address, on_error=on_error, upload_interval=0.05, upload_size=15, max_retries=30, gzip=True)
    from rudderstack.analytics.client import Client

    return Client(key, host=address, on_error=on_error, upload_interval=0.05, upload_size=15, max_retries=30)


def main():
    sdk, address, key, messages, prefix = sys.argv[1:]
    errors = []
    client = client_of(sdk, address, key, lambda error, batch: errors.append(error))
    for n in range(int(messages)):
        user = f"{prefix}-{n % PEOPLE}"
        if n < PEOPLE:
            client.identify(user, {"plan": "pro" if n % 2 == 0 else "free"})
        event = "Order Completed" if n % 3 == 2 else "Checkout Started"
        client.track(user, event, {"n": n, "client": prefix})
        time.sleep(0.005)
    client.flush()
    client.join()
    for error in errors:
        print(error, file=sys.stderr)
    sys.exit(1 if errors else 0)


main()
