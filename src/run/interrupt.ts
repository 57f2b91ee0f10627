/** Whether the user asked to stop. */
export interface Interrupt {
  readonly requested: boolean;
}

/** Never interrupted: for library users and tests. */
export const neverInterrupted: Interrupt = { requested: false };

/**
 * Listens for Ctrl-C and SIGTERM: the first asks for an orderly stop, the second ends the process with code 130.
 * @param onFirst told once, at the first signal
 */
export function listenForInterrupt(onFirst: () => void): Interrupt & { dispose(): void } {
  let requested = false;
  const onSignal = (): void => {
    if (requested) process.exit(130);
    requested = true;
    onFirst();
  };
  const signals = ["SIGINT", "SIGTERM"] as const;
  for (const signal of signals) process.on(signal, onSignal);
  return {
    get requested() {
      return requested;
    },
    dispose: () => {
      for (const signal of signals) process.off(signal, onSignal);
    },
  };
}
