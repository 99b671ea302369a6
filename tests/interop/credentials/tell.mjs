// One question a line on standard input, one answer a line on standard output. No document comes from the network:
// a question brings those that may be read, by their URL.
import {createInterface} from 'node:readline';

import * as vc from '@digitalbazaar/vc';
import * as Ed25519Multikey from '@digitalbazaar/ed25519-multikey';
import {DataIntegrityProof} from '@digitalbazaar/data-integrity';
import {cryptosuite} from '@digitalbazaar/eddsa-rdfc-2022-cryptosuite';
import {checkStatus} from '@digitalbazaar/vc-bitstring-status-list';

function loaderOf(documents) {
  return async url => {
    if (!(url in documents)) {
      throw new Error(`${url} is not here`);
    }
    return {contextUrl: null, documentUrl: url, document: documents[url]};
  };
}

async function verify({credential, documents}) {
  const suite = new DataIntegrityProof({cryptosuite});
  const documentLoader = loaderOf(documents);
  const answer = await vc.verifyCredential({
    credential, suite, documentLoader, verifyBitstringStatusListCredential: true,
    checkStatus: options => checkStatus({...options, verifyBitstringStatusListCredential: true, verifyMatchingIssuers: true}),
  });
  // It says whether the list is genuine, and which bit is set; what that means is left to who asks.
  const revoked = (answer.statusResult?.results ?? []).some(({status}) => status);
  return {verified: answer.verified && !revoked, why: [...reasons(answer), ...(revoked ? ['revoked'] : [])]};
}

function reasons({error, statusResult, results = []}) {
  const errors = [error, ...(error?.errors ?? []), statusResult?.error, ...results.map(result => result.error)];
  return errors.filter(Boolean).map(error => `${error.name}: ${error.message}`);
}

async function issue({credential, key, documents}) {
  const pair = await Ed25519Multikey.from(key);
  const suite = new DataIntegrityProof({signer: pair.signer(), cryptosuite});
  return {credential: await vc.issue({credential, suite, documentLoader: loaderOf(documents)})};
}

const verbs = {verify, issue};
for await (const line of createInterface({input: process.stdin})) {
  const question = JSON.parse(line);
  let answer;
  try {
    answer = await verbs[question.verb](question);
  } catch (error) {
    answer = {error: `${error.name}: ${error.message}`};
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
