import type { Finding } from './conditions.ts';

/** Upstream: controller/establish/establishing_controller.go and controller/status/naming_controller.go. */
export const ESTABLISHED: Finding = {
  type: 'Established',
  status: 'True',
  reason: 'InitialNamesAccepted',
  message: 'the initial names have been accepted',
};

export const NOT_ACCEPTED: Finding = {
  type: 'Established',
  status: 'False',
  reason: 'NotAccepted',
  message: 'not all names are accepted',
};
