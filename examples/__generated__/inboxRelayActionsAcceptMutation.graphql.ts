/**
 * @generated SignedSource<<e1c5fcd2eab881cd6558d53a0d04256c>>
 * @lightSyntaxTransform
 */

/* tslint:disable */
/* eslint-disable */
// @ts-nocheck

import type { ConcreteRequest } from 'relay-runtime';
export type AcceptConversationInput = {
  conversationId: string;
};
export type inboxRelayActionsAcceptMutation$variables = {
  input: AcceptConversationInput;
};
export type inboxRelayActionsAcceptMutation$data = {
  readonly acceptConversation: {
    readonly __typename: string;
  };
};
export type inboxRelayActionsAcceptMutation = {
  response: inboxRelayActionsAcceptMutation$data;
  variables: inboxRelayActionsAcceptMutation$variables;
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
    "name": "acceptConversation",
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
    "name": "inboxRelayActionsAcceptMutation",
    "selections": (v1/*:: as any*/),
    "type": "Mutation",
    "abstractKey": null
  },
  "kind": "Request",
  "operation": {
    "argumentDefinitions": (v0/*:: as any*/),
    "kind": "Operation",
    "name": "inboxRelayActionsAcceptMutation",
    "selections": (v1/*:: as any*/)
  },
  "params": {
    "cacheID": "599382fa26db00f74bb210e1ede67c73",
    "id": null,
    "metadata": {},
    "name": "inboxRelayActionsAcceptMutation",
    "operationKind": "mutation",
    "text": "mutation inboxRelayActionsAcceptMutation(\n  $input: AcceptConversationInput!\n) {\n  acceptConversation(input: $input) {\n    __typename\n  }\n}\n"
  }
};
})();

(node as any).hash = "e4af96152a9b3d5d235282e9b20fe539";

export default node;
