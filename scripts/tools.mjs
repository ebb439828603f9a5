// Programs that npm does not bring. Where one is missing, one line says which Debian packages have it.
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

const debianPackages = {
  cmake: 'cmake',
  make: 'make',
  'g++': 'g++',
  'aarch64-linux-gnu-g++': 'g++-aarch64-linux-gnu',
  'qemu-aarch64-static': 'qemu-user-static',
};

export function needTools(...programs) {
  const missing = programs.filter((program) => !isInstalled(program));
  if (missing.length === 0) return;
  const packages = missing.map((program) => debianPackages[program]).join(' ');
  console.error(`${missing.join(' and ')} not found: apt-get install ${packages}`);
  process.exit(1);
}

function isInstalled(program) {
  return process.env.PATH.split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
