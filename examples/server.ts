// `npm run example:server`: trains a network on what comes in over HTTP while it runs, and says what it thinks of digits
// meanwhile. docs/server.md walks through it.
import { runtime } from 'gradstep';
import { CheckpointError } from 'gradstep/checkpoint';
import { createApp } from './server/app';
import { Failure } from './mnist/failure';
import { Service } from './server/service';
import { checkExposure, parseSettings } from './server/settings';

/** How long requests may take that are on their way when the server is to end, in milliseconds. */
const patience = 5000;

async function main(): Promise<void> {
  const settings = parseSettings(process.argv);
  checkExposure(settings);
  runtime.threads = 1; // of this thread, as each worker has one: what there is to compute here is little
  const service = await Service.open(settings);
  const app = createApp(service);
  const url = await app.listen({ host: settings.host, port: settings.port });
  console.log(`${url}  (${service.trainer.state} at step ${service.trainer.step}, kept in ${settings.checkpoints})`);

  const end = async (): Promise<void> => {
    await service.close();
    const late = setTimeout(() => app.server.closeAllConnections(), patience);
    await app.close();
    clearTimeout(late);
    console.log(`ended at step ${service.trainer.step}`);
  };
  let ending: Promise<void> | undefined;
  const endOnce = (): void => void (ending ??= end().catch(fail));
  process.once('SIGINT', endOnce);
  process.once('SIGTERM', endOnce);
}

/** Says what went wrong: in one line where it is for whoever starts it to put right. */
function fail(error: unknown): void {
  const isTheirs = error instanceof Failure || error instanceof CheckpointError || isOfTheSystem(error);
  console.error(isTheirs ? `error: ${error.message}` : error);
  process.exit(1);
}

/** A port that is taken, a folder that cannot be written to. */
const isOfTheSystem = (error: unknown): error is Error => error instanceof Error && 'syscall' in error;

main().catch(fail);
