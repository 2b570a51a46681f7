/** 导出: what a list finds is made into a file in the background. */
import { call } from '../../api';
import { done } from '../system/act';
import { grouped, type Pair } from '../../ui/address';
import { ElMessage } from '../../ui/elements';

export async function takeOut(path: string, pairs: Pair[]): Promise<void> {
  const asked = call<{ state: string }>('GET', `${path}/export`, { query: { ...grouped(pairs), format: 'xlsx' } });
  const job = await done(asked, '');
  if (job?.state === 'waiting') ElMessage.info('行数较多，须他人批准后生成文件；进展见任务中心');
  else if (job) ElMessage.success('已开始导出，完成后在任务中心下载');
}
