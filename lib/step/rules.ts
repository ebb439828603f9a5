import { native, type Rule } from '../native';

const rules = new Map(native.rules.map((rule) => [rule.name, rule]));

/** The native update rule of this name. */
export function ruleNamed(name: string): Rule {
  const rule = rules.get(name);
  if (rule === undefined) throw new Error(`there is no native rule named '${name}'`);
  return rule;
}
