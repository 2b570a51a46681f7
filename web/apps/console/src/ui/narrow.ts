/** Whether the window is as narrow as a phone. */
import { onScopeDispose, ref, type Ref } from 'vue';

export function useNarrow(): Ref<boolean> {
  const media = window.matchMedia('(max-width: 700px)');
  const narrow = ref(media.matches);
  const look = (): void => {
    narrow.value = media.matches;
  };
  media.addEventListener('change', look);
  onScopeDispose(() => media.removeEventListener('change', look));
  return narrow;
}
