/** Prints the counts of a Vitest run in the one form that `cargo xtask test` reads. */
export default class Count {
  onTestRunEnd(modules) {
    let [passed, failed] = [0, 0];
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        if (test.result().state === 'passed') passed += 1;
        else if (test.result().state === 'failed') failed += 1;
      }
    }
    console.log(`\nyuanjian-count ${passed} passed ${failed} failed`);
  }
}
