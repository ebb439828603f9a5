// `npm run example:server`: trains a network on what comes in over HTTP while it runs, and says what it thinks of digits
// meanwhile. docs/server.md walks through it.
import { runtime } from 'gradstep';
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

function fail(error: unknown): void {
  console.error(error instanceof Failure ? `error: ${error.message}` : error);
  process.exit(1);
}

main().catch(fail);
