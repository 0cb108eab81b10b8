// As src/lib.rs, for programs in JavaScript; ../README.md has the words.

/** Reads the command line. */
export function parse() {
  const [mode, ...words] = process.argv.slice(2);
  const given = { mode, tell: false };
  while (words.length > 0) {
    const name = words.shift().replace(/^--/, '');
    given[name] = name === 'tell' ? true : words.shift();
  }
  if (!given.database) throw new Error('--database is missing');
  return {
    ...given,
    jobs: Number(given.jobs ?? 0),
    concurrency: Number(given.concurrency ?? 1),
    settings: given.settings ?? '',
    connections: Number(given.connections ?? 1),
    rate: given.rate && Number(given.rate),
    time: Number(given.seconds ?? 0) * 1000,
  };
}

function say(event) {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}

/** Microseconds of the clock that all processes of this machine share. */
function now() {
  return Number(process.hrtime.bigint() / 1000n);
}

/** Returns the first statement of a handler: `begin(job)`. */
export function counter({ jobs, tell }) {
  let begun = 0;
  return (job) => {
    begun += 1;
    if (tell) say({ event: 'began', job, at: now() });
    if (begun === 1) say({ event: 'first' });
    if (begun === jobs) say({ event: 'ran' });
  };
}

/** Enqueues numbered jobs one by one, on each connection the next when the last is committed. */
export async function enqueue({ connections, rate, time, tell }, order) {
  const begun = performance.now();
  const end = begun + time;
  const lane = async (number) => {
    const each = rate && (1000 * connections) / rate;
    let next = begun + (each * number) / connections;
    for (let jobs = 0; ; jobs += 1) {
      if (rate) {
        const wait = next - performance.now();
        if (wait > 0) await new Promise((resume) => setTimeout(resume, wait));
        next = Math.max(next, performance.now() - each) + each;
      }
      if (performance.now() >= end) return jobs;
      const job = number + jobs * connections;
      const sent = now();
      await order(job);
      if (tell) say({ event: 'enqueued', job, sent, committed: now() });
    }
  };
  const lanes = await Promise.all(Array.from({ length: connections }, (_, number) => lane(number)));
  const jobs = lanes.reduce((sum, each) => sum + each, 0);
  say({ event: 'enqueuing_ended', jobs, seconds: (performance.now() - begun) / 1000 });
}
