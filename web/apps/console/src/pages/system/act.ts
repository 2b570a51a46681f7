/** Acts of administrators: done and said so, or refused and said why. */
import { Problem } from '../../api';
import { ElMessage } from '../../ui/elements';

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
