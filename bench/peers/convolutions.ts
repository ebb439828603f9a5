/** A convolution of square images with a square filter. */
export interface ConvShape {
  readonly name: string;
  readonly size: number;
  readonly channels: number;
  readonly outputs: number;
  readonly window: number;
  readonly stride: number;
  /** On each side. */
  readonly padding: number;
}

/** The convolution itself, or one of its gradients. */
export type ConvWay = 'forward' | 'by input' | 'by filter';
