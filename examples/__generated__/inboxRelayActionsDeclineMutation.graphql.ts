/**
 * @generated SignedSource<<ad5d758b352997dd6f98f7f0a6dbbf1f>>
 * @lightSyntaxTransform
 */

/* tslint:disable */
/* eslint-disable */
// @ts-nocheck

import type { ConcreteRequest } from 'relay-runtime';
export type DeclineConversationInput = {
  conversationId: string;
};
export type inboxRelayActionsDeclineMutation$variables = {
  input: DeclineConversationInput;
};
export type inboxRelayActionsDeclineMutation$data = {
  readonly declineConversation: {
    readonly __typename: string;
  };
};
export type inboxRelayActionsDeclineMutation = {
  response: inboxRelayActionsDeclineMutation$data;
  variables: inboxRelayActionsDeclineMutation$variables;
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
    "name": "declineConversation",
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
    "name": "inboxRelayActionsDeclineMutation",
    "selections": (v1/*:: as any*/),
    "type": "Mutation",
    "abstractKey": null
  },
  "kind": "Request",
  "operation": {
    "argumentDefinitions": (v0/*:: as any*/),
    "kind": "Operation",
    "name": "inboxRelayActionsDeclineMutation",
    "selections": (v1/*:: as any*/)
  },
  "params": {
    "cacheID": "0f9097866d36568eae0e9a6e2706635b",
    "id": null,
    "metadata": {},
    "name": "inboxRelayActionsDeclineMutation",
    "operationKind": "mutation",
    "text": "mutation inboxRelayActionsDeclineMutation(\n  $input: DeclineConversationInput!\n) {\n  declineConversation(input: $input) {\n    __typename\n  }\n}\n"
  }
};
})();

(node as any).hash = "b07975df0dd72e360ee4d870174f43cb";

export default node;
