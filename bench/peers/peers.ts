import { loadJax, type Jax } from './jax';
import { OpenBlas } from './openblas';
import { loadTfjs, type Tfjs } from './tfjs';
import { Torch } from './torch';

/** The libraries we are compared with, each started when it is first asked for; null where it is not installed. */
export class Peers {
  /** Those that were started, or tried, with what there is to say about them. */
  readonly versions: Record<string, string> = {};
  private loaded = new Map<string, Promise<unknown>>();

  torch(): Promise<Torch | null> {
    return this.once('PyTorch', () => Torch.start());
  }

  tfjs(): Promise<Tfjs | null> {
    return this.once('TensorFlow.js', loadTfjs);
  }

  jax(): Promise<Jax | null> {
    return this.once('jax-js', loadJax);
  }

  openBlas(): Promise<OpenBlas | null> {
    return this.once('OpenBLAS', () => OpenBlas.load());
  }

  async stop(): Promise<void> {
    if (this.loaded.has('PyTorch')) await (await this.torch())?.stop();
  }

  private once<T extends { version: string }>(name: string, load: () => Promise<T | null>): Promise<T | null> {
    let peer = this.loaded.get(name) as Promise<T | null> | undefined;
    if (peer === undefined) {
      peer = load().then((loaded) => {
        this.versions[name] = loaded?.version ?? 'not installed';
        if (loaded === null) console.error(`${name} is not installed: left out`);
        return loaded;
      });
      this.loaded.set(name, peer);
    }
    return peer;
  }
}
