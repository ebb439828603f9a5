import { expect } from 'chai';

/** What a promise is rejected with: an Error of this class that says so. */
export async function expectRejection(
  promise: Promise<unknown>,
  kind: new (...args: never[]) => Error,
  message: string,
): Promise<void> {
  const outcome = await promise.then(
    () => 'fulfilled',
    (error: unknown) => error,
  );
  expect(outcome).to.be.instanceOf(kind);
  expect((outcome as Error).message).to.contain(message);
}
