import test from 'ava';
import { highestSupportedVersion, isLess } from '../../../kubelet/plugin-registration/version.ts';

test('the highest version 1.x counts', (t) => {
  t.deepEqual(highestSupportedVersion(['1.0.0', 'v1.12.1', '1.2.0']), [1, 12, 1]);
  t.deepEqual(highestSupportedVersion(['2.0.0', '1.0.0', 'x']), [1, 0, 0]);
});

test('what no kubelet speaks is refused', (t) => {
  t.throws(() => highestSupportedVersion([]), { message: 'empty array for supported versions' });
  t.throws(() => highestSupportedVersion(['0.3.0']), {
    message: 'highest supported version reported is 0.3.0, must be v1.x',
  });
  t.throws(() => highestSupportedVersion(['2.0.0']), {
    message: 'could not find a highest supported version from versions ([2.0.0]) reported: <nil>',
  });
  t.throws(() => highestSupportedVersion(['one']), {
    message:
      'could not find a highest supported version from versions ([one]) reported: could not parse "one" as version',
  });
});

test('versions compare by number', (t) => {
  t.true(isLess([1, 2], [1, 10]));
  t.false(isLess([1, 10], [1, 2]));
  t.false(isLess([1, 2], [1, 2, 0]));
});
