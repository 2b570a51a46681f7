/** Looks proofs up on the platform, for readers who have a code and no file. */

interface Found {
  given: { name: string; source: string }[];
  /** Why there are none. */
  words: string;
}

const none = (words: string): Found => ({ given: [], words });

async function ofCode(code: string): Promise<Found | undefined> {
  const answer = await fetch(`/api/v1/public/proof/${encodeURIComponent(code)}`, { headers: { accept: 'application/json' } });
  if (answer.status === 404) return undefined;
  if (!answer.ok) throw new Error(String(answer.status));
  const { proofs } = (await answer.json()) as { proofs: { id: string; proof: string | null }[] };
  const given = proofs.flatMap(({ id, proof }) => (proof === null ? [] : [{ name: `记录 ${id}`, source: proof }]));
  return { given, words: proofs.length === 0 ? '此码没有公开的记录' : '此码的记录正在写入存证链，请稍后再查' };
}

async function ofCertificate(number: string): Promise<Found | undefined> {
  const answer = await fetch(`/c/${encodeURIComponent(number)}/proof`);
  if (answer.status === 404) return undefined;
  if (!answer.ok) throw new Error(String(answer.status));
  return { given: [{ name: `承诺达标合格证 ${number}`, source: await answer.text() }], words: '' };
}

export async function look(code: string): Promise<Found> {
  try {
    return (await ofCode(code)) ?? (await ofCertificate(code)) ?? none('本平台没有与此对应的公开存证，请核对所填是否完整');
  } catch {
    return none('没有查到：网络不通或平台暂不可用。有证明文件时不需要联网，请选择文件校验');
  }
}
