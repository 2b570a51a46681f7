/** Acts of administrators: done and said so, or refused and said why. */
import { Problem } from '../../api';
import { ElMessage } from '../../ui/elements';

/** What an act on an administrator answers, where another administrator must confirm it first. */
export interface Waiting {
  request: { id: string; act: string; state: 'waiting' };
}
export const waits = (answer: unknown): answer is Waiting => typeof answer === 'object' && answer !== null && 'request' in answer;

/** Waits for an act; its answer, or nothing where it was refused. */
export async function done<T>(act: Promise<T>, text: string): Promise<T | undefined> {
  try {
    const answer = await act;
    if (text) ElMessage.success(text);
    return (answer ?? true) as T;
  } catch (error) {
    ElMessage.error(error instanceof Problem ? error.message : '没有成功，请重试');
    return undefined;
  }
}
