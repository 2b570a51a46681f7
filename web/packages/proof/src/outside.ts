/** 外部锚定: what the platform says it has written to a chain of others. */

import { Reader } from './bytes';

export interface AnchorStatement {
  chain: Uint8Array;
  size: bigint;
  root: Uint8Array;
  height: bigint;
  block: Uint8Array;
  network: string;
  contract: string;
  transaction: string;
  blockNumber: bigint;
  blockHash: string;
  validator: Uint8Array;
  signed: Uint8Array;
  signature: Uint8Array;
}

export function readAnchor(bytes: Uint8Array): AnchorStatement {
  const reader = new Reader(bytes);
  reader.magic('YJ/ext/v1\0');
  const [chain, size, root, height, block] = [reader.hash(), reader.u64(), reader.hash(), reader.u64(), reader.hash()];
  const [network, contract, transaction, blockNumber] = [reader.text(), reader.text(), reader.text(), reader.u64()];
  const [blockHash, validator, signature] = [reader.text(), reader.hash(), reader.raw(64)];
  reader.end();
  const place = { network, contract, transaction, blockNumber, blockHash };
  return { chain, size, root, height, block, ...place, validator, signed: bytes.slice(0, -64), signature };
}
