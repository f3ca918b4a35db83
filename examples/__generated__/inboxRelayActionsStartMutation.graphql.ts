/**
 * @generated SignedSource<<f45f2f33e4a95634e8dea58196d5dd59>>
 * @lightSyntaxTransform
 */

/* tslint:disable */
/* eslint-disable */
// @ts-nocheck

import type { ConcreteRequest } from 'relay-runtime';
export type StartConversationInput = {
  channelId: string;
  contactChannelId?: string | null;
  contactId: string;
  idempotencyKey?: string | null;
  text: string;
};
export type inboxRelayActionsStartMutation$variables = {
  input: StartConversationInput;
};
export type inboxRelayActionsStartMutation$data = {
  readonly startConversation: {
    readonly __typename: string;
  };
};
export type inboxRelayActionsStartMutation = {
  response: inboxRelayActionsStartMutation$data;
  variables: inboxRelayActionsStartMutation$variables;
};

const node: ConcreteRequest = (function(){
var v0 = [
  {
    "defaultValue": null,
    "kind": "LocalArgument",
    "name": "input"
  }
],
v1 = [
  {
    "alias": null,
    "args": [
      {
        "kind": "Variable",
        "name": "input",
        "variableName": "input"
      }
    ],
    "concreteType": null,
    "kind": "LinkedField",
    "name": "startConversation",
    "plural": false,
    "selections": [
      {
        "alias": null,
        "args": null,
        "kind": "ScalarField",
        "name": "__typename",
        "storageKey": null
      }
    ],
    "storageKey": null
  }
];
return {
  "fragment": {
    "argumentDefinitions": (v0/*:: as any*/),
    "kind": "Fragment",
    "metadata": null,
    "name": "inboxRelayActionsStartMutation",
    "selections": (v1/*:: as any*/),
    "type": "Mutation",
    "abstractKey": null
  },
  "kind": "Request",
  "operation": {
    "argumentDefinitions": (v0/*:: as any*/),
    "kind": "Operation",
    "name": "inboxRelayActionsStartMutation",
    "selections": (v1/*:: as any*/)
  },
  "params": {
    "cacheID": "a1c216eaf6cc2c097df2c52d7b9dd52c",
    "id": null,
    "metadata": {},
    "name": "inboxRelayActionsStartMutation",
    "operationKind": "mutation",
    "text": "mutation inboxRelayActionsStartMutation(\n  $input: StartConversationInput!\n) {\n  startConversation(input: $input) {\n    __typename\n  }\n}\n"
  }
};
})();

(node as any).hash = "2a849c197c05618bb16512e2d8cbc69c";

export default node;
