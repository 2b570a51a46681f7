/** Compiles Anchor.sol to Anchor.json; with --check, says whether Anchor.json is what it compiles to. */
import { readFileSync, writeFileSync } from 'node:fs';
import solc from 'solc';

const here = (name) => new URL(name, import.meta.url);
const input = {
  language: 'Solidity',
  sources: { 'Anchor.sol': { content: readFileSync(here('Anchor.sol'), 'utf8') } },
  settings: {
    // No PUSH0: chains that keep to older rules run it too.
    evmVersion: 'london',
    optimizer: { enabled: true, runs: 200 },
    // The source is part of the repository; its digest need not be part of the code.
    metadata: { bytecodeHash: 'none', appendCBOR: false },
    outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object', 'evm.deployedBytecode.object', 'evm.methodIdentifiers'] } },
  },
};
const output = JSON.parse(solc.compile(JSON.stringify(input)));
for (const error of output.errors ?? []) console.error(error.formattedMessage);
if (output.errors?.length) process.exit(1);
const { abi, evm } = output.contracts['Anchor.sol'].Anchor;
const parts = {
  compiler: solc.version(),
  selectors: evm.methodIdentifiers,
  abi,
  /** What is sent to make the contract. */
  bytecode: evm.bytecode.object,
  /** What then stands at its address, byte for byte: it holds nothing of whoever made it. */
  runtime: evm.deployedBytecode.object,
};
const made = `${JSON.stringify(parts, null, 2)}\n`;
if (!process.argv.includes('--check')) {
  writeFileSync(here('Anchor.json'), made);
} else if (readFileSync(here('Anchor.json'), 'utf8') !== made) {
  console.error('Anchor.json 与 Anchor.sol 不一致，请在 contracts 中执行 npm run build');
  process.exit(1);
}
