import { SYSTEM_PRIVILEGED_GROUP } from '../authentication/user.ts';
import type { Attributes, Authorizer } from './authorizer.ts';

/** Members of system:masters may do everything, whatever the roles say (upstream: authorizerfactory PrivilegedGroups). */
export class SuperuserAuthorizer implements Authorizer {
  authorize({ user }: Attributes) {
    return { allowed: user.groups.includes(SYSTEM_PRIVILEGED_GROUP), reason: '' };
  }
}
