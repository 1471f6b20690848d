import { postgres } from '../../src/drivers/postgres/driver.ts'
import { branchRef } from '../../src/domain/branch-ref.ts'
import { driverCall } from '../../src/testing/driver-call.ts'

// A worker to be killed: creates the branch of the deployment in its second argument, and says when it is done.
const [server, deploymentId = '', source = ''] = process.argv.slice(2)
const ref = branchRef({
  installationId: 'icfg_1',
  resourceId: source,
  deploymentId,
  action: 'branch',
})
await postgres({ server }).createBranch({ source, ref }, driverCall())
process.stdout.write('created\n')
