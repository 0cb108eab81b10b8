"""procrastinate, as it comes; ../README.md has the words."""

import argparse
import asyncio
import json
import time

import procrastinate


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("mode", choices=["prepare", "fill", "work", "enqueue"])
    parser.add_argument("--database", required=True)
    parser.add_argument("--jobs", type=int, default=0)
    parser.add_argument("--concurrency", type=int, default=1)
    parser.add_argument("--connections", type=int, default=1)
    parser.add_argument("--rate", type=float)
    parser.add_argument("--seconds", type=float, default=0)
    parser.add_argument("--tell", action="store_true")
    return parser.parse_args()


given = parse()
connections = max(given.connections, given.concurrency) + 2
app = procrastinate.App(
    connector=procrastinate.PsycopgConnector(conninfo=given.database, min_size=connections, max_size=connections)
)
begun = 0


def say(**event):
    print(json.dumps(event), flush=True)


def now():
    """Microseconds of the clock that all processes of this machine share."""
    return time.monotonic_ns() // 1000


@app.task(name="empty")
async def empty(n):
    global begun
    begun += 1
    if given.tell:
        say(event="began", job=n, at=now())
    if begun == 1:
        say(event="first")
    if begun == given.jobs:
        say(event="ran")


async def fill():
    for first in range(0, given.jobs, 1000):
        await empty.batch_defer_async(*({"n": n} for n in range(first, min(first + 1000, given.jobs))))


async def enqueue():
    started = time.monotonic()
    end = started + given.seconds

    async def lane(number):
        each = given.rate and given.connections / given.rate
        following = started + (each or 0) * number / given.connections
        jobs = 0
        while True:
            if each:
                await asyncio.sleep(max(0, following - time.monotonic()))
                following = max(following, time.monotonic() - each) + each
            if time.monotonic() >= end:
                return jobs
            job = number + jobs * given.connections
            sent = now()
            await empty.defer_async(n=job)
            jobs += 1
            if given.tell:
                say(event="enqueued", job=job, sent=sent, committed=now())

    jobs = sum(await asyncio.gather(*(lane(number) for number in range(given.connections))))
    say(event="enqueuing_ended", jobs=jobs, seconds=time.monotonic() - started)


async def work():
    worker = app.run_worker_async(concurrency=given.concurrency, install_signal_handlers=False)
    await asyncio.gather(worker, *([enqueue()] if given.rate else []))


async def main():
    async with app.open_async():
        if given.mode == "prepare":
            await app.schema_manager.apply_schema_async()
        else:
            await {"fill": fill, "work": work, "enqueue": enqueue}[given.mode]()


asyncio.run(main())
