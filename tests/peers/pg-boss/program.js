// pg-boss, with its batches and NOTIFY; ../README.md has the words.
import { PgBoss } from 'pg-boss';
import { counter, enqueue, parse } from '../contender/contender.mjs';

const given = parse();

/** `max` connections; no chores that have nothing to do with the work. */
async function boss(max) {
  const boss = new PgBoss({ connectionString: given.database, max, useListenNotify: given.mode === 'work', schedule: false });
  boss.on('error', (error) => console.error(error));
  return boss.start();
}

async function enqueueing(boss) {
  await enqueue(given, (n) => boss.send('empty', { n }));
}

switch (given.mode) {
  case 'prepare': {
    const it = await boss(2);
    await it.createQueue('empty', { notify: true });
    await it.stop();
    break;
  }
  case 'fill': {
    const it = await boss(2);
    for (let n = 0; n < given.jobs; n += 1000) {
      const length = Math.min(1000, given.jobs - n);
      await it.insert('empty', Array.from({ length }, (_, at) => ({ data: { n: n + at } })));
    }
    await it.stop();
    break;
  }
  case 'work': {
    const begin = counter(given);
    const it = await boss(10);
    const options = { batchSize: given.concurrency, burstWhenBatchFull: true, pollingIntervalSeconds: 0.5 };
    await it.work('empty', options, async (jobs) => jobs.forEach((job) => begin(job.data.n)));
    if (given.rate) await enqueueing(it);
    break;
  }
  case 'enqueue':
    await enqueueing(await boss(given.connections));
    process.exit();
}
