/** Prints the counts of a Playwright run in the one form that `cargo xtask test` reads. */
export default class Count {
  passed = 0;
  failed = 0;

  onTestEnd(test, result) {
    if (result.status === 'passed') this.passed += 1;
    else if (result.status !== 'skipped') this.failed += 1;
  }

  onEnd() {
    console.log(`\nyuanjian-count ${this.passed} passed ${this.failed} failed`);
  }
}
