// graphile-worker, as it comes and with its batches; ../README.md has the words.
import { Logger, makeWorkerUtils, run, runMigrations } from 'graphile-worker';
import pg from 'pg';
import { counter, enqueue, parse } from '../contender/contender.mjs';

const given = parse();
const logger = new Logger(() => () => {});
const batched = {
  localQueue: { size: 500 },
  completeJobBatchDelay: 0,
  failJobBatchDelay: 0,
};
const preset = {
  worker: {
    connectionString: given.database,
    logger,
    concurrentJobs: given.concurrency,
    maxPoolSize: given.concurrency + 1,
    ...(given.settings === 'batched' ? batched : {}),
  },
};

async function utils() {
  const pgPool = new pg.Pool({ connectionString: given.database, max: given.connections });
  return makeWorkerUtils({ pgPool, preset: { worker: { logger } } });
}

async function enqueueing() {
  const { addJob } = await utils();
  await enqueue(given, (n) => addJob('empty', { n }));
}

switch (given.mode) {
  case 'prepare':
    await runMigrations({ preset });
    break;
  case 'fill': {
    const { addJobs, release } = await utils();
    for (let n = 0; n < given.jobs; n += 1000) {
      const length = Math.min(1000, given.jobs - n);
      await addJobs(Array.from({ length }, (_, at) => ({ identifier: 'empty', payload: { n: n + at } })));
    }
    await release();
    break;
  }
  case 'work': {
    const begin = counter(given);
    await run({ preset, taskList: { empty: async ({ n }) => begin(n) }, noHandleSignals: true });
    if (given.rate) await enqueueing();
    break;
  }
  case 'enqueue':
    await enqueueing();
    process.exit();
}
