import { dividedAmong, entriesOfDivided } from '../../checkpoint/divided';
import type { Part } from '../../checkpoint/parts';
import type { StateEntry } from '../../tensor/state';

/** The state of a part that all ranks have alike: without slots of which each has its own. */
export function undividedState(part: Part): StateEntry[] {
  const own = new Set(entriesOfDivided(dividedAmong([part])).map(({ ownKey }) => ownKey));
  return part.keyed.flatMap((member) => member.state()).filter(({ key }) => !own.has(key));
}
